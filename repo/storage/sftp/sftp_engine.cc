#include "repo/storage/sftp/sftp_engine.h"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "repo/base/waiting.h"

namespace restree {

using sftp::Answer;
using sftp::Request;
using sftp::Type;

namespace {

constexpr std::size_t kCallLoad = 4096;
// Enough to keep the channel busy; more would only make later, shorter requests wait.
constexpr std::size_t kMaxOutgoingBytes = 512 << 10;
constexpr std::size_t kMaxAwaited = 1024;
// Each byte of an answer shows that the other side is alive, and so do this many bytes in either
// direction, or room for more once there was none. The few bytes of a request do not: the buffers of
// a dead line take those for long.
constexpr std::uint64_t kProgressBytes = 32 << 10;
// After so many, the engine looks for new requests again.
constexpr int kReadsInARow = 16;

}  // namespace

SftpEngine::SftpEngine(std::unique_ptr<ByteChannel> channel, std::string host, Limits limits)
    : host_(std::move(host)),
      limits_(limits),
      last_used_(Deadline::Clock::now().time_since_epoch().count()),
      channel_(std::move(channel)),
      moved_at_(Deadline::Clock::now()),
      thread_([this] { run(); }) {}

SftpEngine::~SftpEngine() {
  queue_.lock()->ending = true;
  wakeup_.wake();
}

std::future<Result<Answer>> SftpEngine::send(Request request, bool slow) {
  Call call{std::move(request), {}, slow};
  auto answer = call.done.get_future();
  {
    auto queue = queue_.lock();
    if (queue->dead) {
      call.done.set_value(*queue->dead);
      return answer;
    }
    queue->calls.push_back(std::move(call));
    add_load(kCallLoad);
  }
  last_used_ = Deadline::Clock::now().time_since_epoch().count();
  wakeup_.wake();
  return answer;
}

Result<Bytes> SftpEngine::read(std::string_view handle, std::uint64_t offset, std::uint64_t length,
                               std::uint32_t piece_bytes, Deadline by) {
  if (length == 0) return Bytes();
  auto job = std::make_shared<ReadJob>();
  job->handle = handle;
  job->offset = offset;
  job->piece_bytes = piece_bytes;
  job->into = Bytes(length);
  job->load = job->into.size();
  auto done = job->done.get_future();
  {
    auto queue = queue_.lock();
    if (queue->dead) return *queue->dead;
    (length <= piece_bytes ? queue->short_reads : queue->long_reads).push_back(job);
    add_load(job->into.size());
  }
  last_used_ = Deadline::Clock::now().time_since_epoch().count();
  wakeup_.wake();
  if (!wait_until(done, by)) {
    job->abandoned = true;
    return Error(ErrorKind::kUnavailable, fmt::format("{}: no answer in time", host_));
  }
  return done.get();
}

void SftpEngine::run() {
  while (take_requests()) {
    auto wrote = write_out();
    if (!wrote) return die(std::move(wrote).error());
    auto read = read_in();
    if (!read) return die(std::move(read).error());
    if (*wrote || *read) continue;
    if (auto waited = wait(); !waited) return die(std::move(waited).error());
  }
  die(Error(ErrorKind::kUnavailable, fmt::format("{}: connection closed", host_)));
}

bool SftpEngine::take_requests() {
  auto queue = queue_.lock();
  if (queue->ending) return false;
  const auto room = [this] {
    return outgoing_.size() - outgoing_sent_ < kMaxOutgoingBytes && awaited_.size() < kMaxAwaited;
  };
  while (!queue->calls.empty() && room()) {
    Call call = std::move(queue->calls.front());
    queue->calls.pop_front();
    slow_calls_ += call.slow ? 1 : 0;
    if (first_call_at_ == Deadline::Clock::time_point()) first_call_at_ = Deadline::Clock::now();
    enqueue(std::move(call.request), {std::move(call.done), call.slow, nullptr, {}});
  }
  while (room() && bytes_in_flight_ < most_in_flight()) {
    if (!queue->short_reads.empty()) {
      take_read(queue->short_reads);
    } else if (!queue->long_reads.empty()) {
      take_read(queue->long_reads);
    } else {
      break;
    }
  }
  return true;
}

void SftpEngine::take_read(std::deque<std::shared_ptr<ReadJob>>& from) {
  const auto job = from.front();
  if (job->wants_more()) ask_piece(job);
  if (job->wants_more()) return;
  from.pop_front();
  if (job->settled || job->abandoned) load_ -= std::exchange(job->load, 0);
}

void SftpEngine::ask_piece(const std::shared_ptr<ReadJob>& job) {
  Piece piece;
  if (!job->remainders.empty()) {
    piece = job->remainders.back();
    job->remainders.pop_back();
  } else {
    const std::uint64_t left = job->into.size() - job->asked;
    piece = {job->asked,
             static_cast<std::uint32_t>(std::min<std::uint64_t>(left, job->piece_bytes))};
    job->asked += piece.length;
  }
  Request request(Type::kRead, 16 + job->handle.size());
  request.string(job->handle).u64(job->offset + piece.position).u32(piece.length);
  bytes_in_flight_ += piece.length;
  enqueue(std::move(request), {std::nullopt, false, job, piece});
}

void SftpEngine::enqueue(Request request, Awaited awaited) {
  if (awaited_.empty()) moved_at_ = Deadline::Clock::now();
  while (awaited_.contains(next_id_)) ++next_id_;
  const auto packet = std::move(request).finish(next_id_);
  if (outgoing_sent_ == outgoing_.size()) {
    outgoing_.clear();
    outgoing_sent_ = 0;
  }
  outgoing_.insert(outgoing_.end(), packet.begin(), packet.end());
  awaited_.emplace(next_id_++, std::move(awaited));
}

Result<bool> SftpEngine::write_out() {
  const ByteView unsent = ByteView(outgoing_).subspan(outgoing_sent_);
  ASSIGN_OR_RETURN(const std::size_t sent, channel_->write_some(unsent));
  if (sent > 0 && is_full_) note_progress();
  is_full_ = sent == 0 && !unsent.empty();
  outgoing_sent_ += sent;
  if (outgoing_sent_ > kMaxOutgoingBytes) {
    outgoing_.erase(outgoing_.begin(),
                    outgoing_.begin() + static_cast<std::ptrdiff_t>(outgoing_sent_));
    outgoing_sent_ = 0;
  }
  return sent > 0;
}

Result<bool> SftpEngine::read_in() {
  for (int i = 0; i < kReadsInARow; ++i) {
    Incoming& in = incoming_;
    const bool in_header = in.header_bytes < sizeof in.header;
    const MutableByteView into =
        in_header ? MutableByteView(in.header).subspan(in.header_bytes) : in.rest;
    ASSIGN_OR_RETURN(const std::size_t got, channel_->read_some(into));
    if (got == 0) return i > 0;
    if (in_header) {
      in.header_bytes += got;
      if (in.header_bytes < sizeof in.header) continue;
      RETURN_IF_ERROR(begin_packet());
    } else {
      note_progress();
      in.rest = in.rest.subspan(got);
    }
    if (in.rest.empty()) {
      RETURN_IF_ERROR(end_packet());
      in = {};
    }
  }
  return true;
}

// Every answer holds at least the 13 bytes of the header: its length, type and id, and one number
// more (a status, a count, a string's length).
Status SftpEngine::begin_packet() {
  Incoming& in = incoming_;
  PacketReader header(in.header);
  const std::uint32_t length = header.u32();
  in.answer.type = static_cast<Type>(in.header[4]);
  in.id = PacketReader(ByteView(in.header).subspan(5)).u32();
  const std::uint32_t word = PacketReader(ByteView(in.header).subspan(9)).u32();
  if (length < 9 || length > sftp::kMaxPacketBytes) return malformed("a packet of absurd length");
  const auto asked = awaited_.find(in.id);
  if (asked == awaited_.end()) return malformed("an answer that nobody asked for");
  note_progress();
  const Awaited& read = asked->second;
  if (in.answer.type == Type::kData && read.job != nullptr) {
    if (word == 0 || word > read.piece.length || word != length - 9) {
      return malformed("data that was not asked for");
    }
    in.data_bytes = word;
    in.rest = read.job->into.view().subspan(memory_size(read.piece.position), word);
    return {};
  }
  in.answer.body.resize(length - 5);
  std::copy_n(in.header + 9, 4, in.answer.body.begin());
  in.rest = MutableByteView(in.answer.body).subspan(4);
  return {};
}

Status SftpEngine::end_packet() {
  Incoming& in = incoming_;
  auto node = awaited_.extract(in.id);
  Awaited& asked = node.mapped();
  if (asked.call) {
    note_call();
    slow_calls_ -= asked.slow ? 1 : 0;
    load_ -= kCallLoad;
    asked.call->set_value(std::move(in.answer));
    return {};
  }
  bytes_in_flight_ -= asked.piece.length;
  if (in.answer.type == Type::kData) {
    settle_piece(asked, in.data_bytes);
    return {};
  }
  const auto status = sftp::parse_status(in.answer);
  if (!status || status->code == sftp::StatusCode::kOk) {
    awaited_.insert(std::move(node));  // where die() finds it
    return malformed("a read answered with neither data nor an error");
  }
  fail(*asked.job, sftp::status_error(*status, fmt::format("{}: read", host_)));
  return {};
}

void SftpEngine::settle_piece(const Awaited& piece, std::uint32_t got) {
  ReadJob& job = *piece.job;
  const std::size_t lighter = std::min<std::size_t>(got, job.load);
  job.load -= lighter;
  load_ -= lighter;
  job.landed += got;
  if (window_) window_->note(got, Deadline::Clock::now());
  if (got < piece.piece.length) {
    const bool queued = job.wants_more();
    job.remainders.push_back({piece.piece.position + got, piece.piece.length - got});
    if (!queued && job.wants_more()) queue_.lock()->short_reads.push_front(piece.job);
    // Nothing asks for the rest, and no queue has the job any more that would give its load back.
    if (job.abandoned) load_ -= std::exchange(job.load, 0);
  }
  if (job.landed == job.into.size() && !std::exchange(job.settled, true)) {
    job.done.set_value(std::move(job.into));
  }
}

void SftpEngine::fail(ReadJob& job, Error error) {
  if (std::exchange(job.settled, true)) return;
  load_ -= std::exchange(job.load, 0);
  job.done.set_value(std::move(error));
}

void SftpEngine::note_call() {
  if (window_) return;
  const auto now = Deadline::Clock::now();
  window_.emplace(limits_.first_bytes_in_flight, now - first_call_at_, now);
}

std::size_t SftpEngine::most_in_flight() const {
  return window_ ? window_->bytes() : limits_.first_bytes_in_flight;
}

void SftpEngine::note_progress() {
  moved_seen_ = channel_->bytes_moved();
  moved_at_ = Deadline::Clock::now();
}

Status SftpEngine::wait() {
  const std::uint64_t moved = channel_->bytes_moved();
  if (moved - moved_seen_ >= kProgressBytes || channel_->is_held()) note_progress();
  const auto silence = slow_calls_ > 0 ? 4 * limits_.silence : limits_.silence;
  const auto by = awaited_.empty() ? Deadline::never() : Deadline::at(moved_at_ + silence);
  if (by.expired()) {
    return Error(ErrorKind::kUnavailable,
                 fmt::format("{}: silent for {:.3g} s while an answer was due", host_,
                             std::chrono::duration<double>(silence).count()));
  }
  const auto channel = channel_->wait_for();
  std::array<pollfd, 2> polled{{{channel.fd, channel.events, 0}, {wakeup_.fd(), POLLIN, 0}}};
  ::poll(polled.data(), polled.size(), by.poll_timeout_ms());
  if (polled[1].revents != 0) wakeup_.reset();
  return {};
}

void SftpEngine::die(const Error& error) {
  alive_.store(false, std::memory_order_release);
  Queue left;
  {
    auto queue = queue_.lock();
    queue->dead = error;
    std::swap(left.calls, queue->calls);
    std::swap(left.short_reads, queue->short_reads);
    std::swap(left.long_reads, queue->long_reads);
  }
  for (auto& call : left.calls) call.done.set_value(error);
  for (auto& job : left.short_reads) fail(*job, error);
  for (auto& job : left.long_reads) fail(*job, error);
  for (auto& [id, awaited] : awaited_) {
    if (awaited.call) {
      awaited.call->set_value(error);
    } else {
      fail(*awaited.job, error);
    }
  }
  awaited_.clear();
  channel_.reset();
}

Error SftpEngine::malformed(std::string_view what) const {
  return {ErrorKind::kUnavailable,
          fmt::format("{}: the server violates the SFTP protocol: {}", host_, what)};
}

}  // namespace restree
