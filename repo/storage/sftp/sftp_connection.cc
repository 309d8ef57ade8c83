#include "repo/storage/sftp/sftp_connection.h"

#include <algorithm>
#include <utility>

#include "repo/base/waiting.h"

namespace restree {

SftpConnection::SftpConnection(std::unique_ptr<SftpClient> client,
                               std::shared_ptr<std::atomic<unsigned>> count)
    : client_(std::move(client)), count_(std::move(count)) {
  client_->handles().on_shortage([this] { forget_idle(); });
  if (count_) ++*count_;
}

SftpConnection::~SftpConnection() {
  if (count_) --*count_;
}

std::shared_ptr<SftpConnection::OpenFile> SftpConnection::find(Files& files,
                                                               const std::string& path) {
  const auto found = std::ranges::find(files.open, path, &Remembered::path);
  if (found == files.open.end()) return nullptr;
  found->used = Deadline::Clock::now();
  files.open.splice(files.open.begin(), files.open, found);
  return found->file;
}

std::shared_ptr<SftpConnection::OpenFile> SftpConnection::recall(const std::string& path,
                                                                 Deadline by) {
  std::shared_future<Result<sftp::Answer>> answer;
  {
    auto files = files_.lock();
    if (auto file = find(*files, path)) return file;
    const auto found = std::ranges::find_if(files->opening, [&](const Opening& opening) {
      return opening.is_wanted && opening.path == path;
    });
    if (found == files->opening.end()) return nullptr;
    answer = found->opening.answer;
  }
  if (!wait_until(answer, by)) return nullptr;
  std::list<Remembered> closed;
  auto files = files_.lock();
  closed = settle(*files);
  return find(*files, path);
}

void SftpConnection::remember(const std::string& path, std::shared_ptr<OpenFile> file) {
  std::list<Remembered> closed;
  auto files = files_.lock();
  files->open.push_front({path, std::move(file), Deadline::Clock::now()});
  closed = too_many(*files);
}

std::list<SftpConnection::Remembered> SftpConnection::too_many(Files& files) {
  std::list<Remembered> closed;
  while (files.open.size() > kMaxOpenFiles) {
    closed.splice(closed.begin(), files.open, std::prev(files.open.end()));
  }
  return closed;
}

std::list<SftpConnection::Remembered> SftpConnection::settle(Files& files) {
  std::list<Remembered> unwanted;
  for (auto each = files.opening.begin(); each != files.opening.end();) {
    const auto next = std::next(each);
    if (wait_until(each->opening.answer, Deadline::at({}))) {
      if (auto handle = client_->end_open(each->opening)) {
        auto& into = each->is_wanted ? files.open : unwanted;
        into.push_front({each->path, std::make_shared<OpenFile>(*client_, std::move(*handle)),
                         Deadline::Clock::now()});
      }
      files.opening.erase(each);
    }
    each = next;
  }
  unwanted.splice(unwanted.end(), too_many(files));
  return unwanted;
}

void SftpConnection::open_ahead(const std::string& path) {
  std::list<Remembered> closed;
  auto files = files_.lock();
  closed = settle(*files);
  if (files->opening.size() >= kMaxOpening) return;
  if (std::ranges::find(files->open, path, &Remembered::path) != files->open.end()) return;
  if (std::ranges::find(files->opening, path, &Opening::path) != files->opening.end()) return;
  if (auto opening = client_->begin_open(path)) files->opening.push_front({path, *opening});
}

void SftpConnection::forget(const std::string& path) {
  std::list<Remembered> forgotten;
  auto files = files_.lock();
  for (Opening& opening : files->opening) {
    if (opening.path == path) opening.is_wanted = false;
  }
  for (auto file = files->open.begin(); file != files->open.end();) {
    const auto next = std::next(file);
    if (file->path == path) forgotten.splice(forgotten.begin(), files->open, file);
    file = next;
  }
}

void SftpConnection::forget_unused_since(Deadline::Clock::time_point when) {
  std::list<Remembered> forgotten;
  auto files = files_.lock();
  forgotten = settle(*files);
  while (!files->open.empty() && files->open.back().used < when) {
    forgotten.splice(forgotten.begin(), files->open, std::prev(files->open.end()));
  }
}

void SftpConnection::forget_idle() {
  std::list<Remembered> forgotten;
  auto files = files_.lock();
  forgotten = settle(*files);
  for (auto file = files->open.begin(); file != files->open.end();) {
    const auto next = std::next(file);
    if (file->file.use_count() == 1) forgotten.splice(forgotten.begin(), files->open, file);
    file = next;
  }
}

Result<std::shared_ptr<SftpConnection::OpenFile>> SftpConnection::open(const std::string& path,
                                                                       Deadline by) {
  if (auto known = recall(path, by)) return known;
  ASSIGN_OR_RETURN(std::string handle, client_->open(path, sftp::kOpenRead, by));
  auto file = std::make_shared<OpenFile>(*client_, std::move(handle));
  remember(path, file);
  return file;
}

Result<Bytes> SftpConnection::read(const std::string& path, std::uint64_t offset,
                                   std::uint64_t length, Deadline by) {
  auto bytes = read_open(path, offset, length, by);
  if (client_->handles().is_short()) forget_idle();
  return bytes;
}

Result<Bytes> SftpConnection::read_open(const std::string& path, std::uint64_t offset,
                                        std::uint64_t length, Deadline by) {
  if (const auto known = recall(path, by)) {
    auto bytes = client_->read(known->handle(), offset, length, by);
    if (bytes || !client_->alive()) return bytes;
    forget(path);  // the failure may be the handle's
    if (by.expired()) return bytes;
  }
  ASSIGN_OR_RETURN(std::string handle, client_->open(path, sftp::kOpenRead, by));
  auto file = std::make_shared<OpenFile>(*client_, std::move(handle));
  auto bytes = client_->read(file->handle(), offset, length, by);
  if (bytes) remember(path, std::move(file));
  return bytes;
}

}  // namespace restree
