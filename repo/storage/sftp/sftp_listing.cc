#include "repo/storage/sftp/sftp_listing.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace restree {

using sftp::Request;
using sftp::Type;

namespace {

constexpr std::size_t kFoldersAtOnce = 64;
// OpenSSH lists up to a hundred files in one answer, and says with another that there are no more.
constexpr std::size_t kReadsAtOnce = 3;

// One folder on its way from OPENDIR to CLOSE.
struct Listing {
  std::string folder;
  std::string handle;  // empty until opened
  std::deque<SftpClient::Pending> answers;
  bool ended = false;
};

class FolderLister {
 public:
  using Found = std::function<void(const std::string&, sftp::Entry&&)>;

  FolderLister(SftpClient& client, const Found& found, Deadline by)
      : client_(client), found_(found), by_(by) {}

  ~FolderLister() {
    for (const auto& listing : open_) {
      if (!listing.handle.empty()) client_.close_later(listing.handle);
    }
  }
  FolderLister(const FolderLister&) = delete;
  FolderLister& operator=(const FolderLister&) = delete;

  bool is_done() const { return open_.empty() && refused_.empty(); }

  // Begins with the next folders, as many as may be open at once.
  void fill(std::vector<std::string>::const_iterator& next,
            std::vector<std::string>::const_iterator end) {
    while (open_.size() < most_at_once() && (!refused_.empty() || next != end)) {
      if (refused_.empty()) {
        begin(*next++);
        continue;
      }
      begin(refused_.front());
      refused_.pop_front();
    }
  }

  // Waits for the oldest answer of one folder, and sends its next requests.
  Status step() {
    Listing& listing = open_.front();
    const std::string doing = fmt::format("list {}", listing.folder);
    ASSIGN_OR_RETURN(const sftp::Answer answer, client_.wait(listing.answers.front(), doing, by_));
    listing.answers.pop_front();
    RETURN_IF_ERROR(listing.handle.empty() ? opened(listing, answer, doing)
                                           : read(listing, answer, doing));
    if (listing.ended && listing.answers.empty()) {
      if (!listing.handle.empty()) client_.close_later(listing.handle);
      open_.pop_front();
      return {};
    }
    while (!listing.ended && listing.answers.size() < kReadsAtOnce) {
      listing.answers.push_back(
          client_.send(std::move(Request(Type::kReaddir).string(listing.handle))));
    }
    std::rotate(open_.begin(), open_.begin() + 1, open_.end());
    return {};
  }

 private:
  std::size_t most_at_once() {
    const std::size_t handles = client_.limits().open_handles;
    return std::min(granted_, handles == 0
                                  ? kFoldersAtOnce / 4
                                  : std::clamp<std::size_t>(handles / 4, 1, kFoldersAtOnce));
  }

  void begin(const std::string& folder) {
    Listing listing{folder, {}, {}, false};
    listing.answers.push_back(client_.send(std::move(Request(Type::kOpendir).string(folder))));
    open_.push_back(std::move(listing));
  }

  // The server may hold no more folders open: this one comes once others are closed.
  bool can_wait(const sftp::Answer& answer) {
    if (!sftp::is_plain_failure(answer)) return false;
    const auto held = static_cast<std::size_t>(
        std::ranges::count_if(open_, [](const Listing& other) { return !other.handle.empty(); }));
    if (held == 0 && std::exchange(has_given_back_, true)) return false;
    client_.handles().give_back();
    granted_ = std::max<std::size_t>(1, held);
    return true;
  }

  Status opened(Listing& listing, const sftp::Answer& answer, const std::string& doing) {
    if (auto handle = sftp::parse_handle(answer)) {
      listing.handle = std::move(*handle);
      client_.handles().opened_besides();
      return {};
    }
    if (can_wait(answer)) {
      refused_.push_back(listing.folder);
      listing.ended = true;
      return {};
    }
    Error error = client_.unexpected(answer, doing);
    if (error.kind() != ErrorKind::kNotFound) return error;
    listing.ended = true;
    return {};
  }

  Status read(Listing& listing, const sftp::Answer& answer, const std::string& doing) {
    if (auto entries = sftp::parse_names(answer)) {
      for (auto& entry : *entries) found_(listing.folder, std::move(entry));
      return {};
    }
    const auto status = sftp::parse_status(answer);
    if (!status || status->code != sftp::StatusCode::kEof) {
      return client_.unexpected(answer, doing);
    }
    listing.ended = true;
    return {};
  }

  SftpClient& client_;
  const Found& found_;
  const Deadline by_;
  std::size_t granted_ = kFoldersAtOnce;
  std::deque<Listing> open_;
  std::deque<std::string> refused_;  // that are to be opened again
  bool has_given_back_ = false;      // what others did not use, when no folder was open
};

}  // namespace

Status list_folders(SftpClient& client, const std::vector<std::string>& folders,
                    const std::function<void(const std::string& folder, sftp::Entry&&)>& found,
                    Deadline by) {
  FolderLister lister(client, found, by);
  auto next = folders.begin();
  for (;;) {
    lister.fill(next, folders.end());
    if (lister.is_done()) return {};
    RETURN_IF_ERROR(lister.step());
  }
}

}  // namespace restree
