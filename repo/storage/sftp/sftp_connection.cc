#include "repo/storage/sftp/sftp_connection.h"

#include <algorithm>
#include <utility>

namespace restree {

class SftpConnection::OpenFile {
 public:
  OpenFile(SftpClient& client, std::string handle) : client_(client), handle_(std::move(handle)) {}
  ~OpenFile() { client_.close_later(handle_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const std::string& handle() const { return handle_; }

 private:
  SftpClient& client_;
  const std::string handle_;
};

SftpConnection::SftpConnection(std::unique_ptr<SftpClient> client,
                               std::shared_ptr<std::atomic<unsigned>> count)
    : client_(std::move(client)), count_(std::move(count)) {
  client_->handles().on_shortage([this] { forget_idle(); });
  if (count_) ++*count_;
}

SftpConnection::~SftpConnection() {
  if (count_) --*count_;
}

std::shared_ptr<SftpConnection::OpenFile> SftpConnection::recall(const std::string& path) {
  auto files = files_.lock();
  const auto found = std::find_if(files->begin(), files->end(),
                                  [&](const Remembered& file) { return file.path == path; });
  if (found == files->end()) return nullptr;
  found->used = Deadline::Clock::now();
  files->splice(files->begin(), *files, found);
  return found->file;
}

void SftpConnection::remember(const std::string& path, std::shared_ptr<OpenFile> file) {
  std::list<Remembered> too_many;  // closed once the lock is released
  auto files = files_.lock();
  files->push_front({path, std::move(file), Deadline::Clock::now()});
  while (files->size() > kMaxOpenFiles) {
    too_many.splice(too_many.begin(), *files, std::prev(files->end()));
  }
}

void SftpConnection::forget(const std::string& path) {
  std::list<Remembered> forgotten;
  auto files = files_.lock();
  for (auto file = files->begin(); file != files->end();) {
    const auto next = std::next(file);
    if (file->path == path) forgotten.splice(forgotten.begin(), *files, file);
    file = next;
  }
}

void SftpConnection::forget_unused_since(Deadline::Clock::time_point when) {
  std::list<Remembered> forgotten;
  auto files = files_.lock();
  while (!files->empty() && files->back().used < when) {
    forgotten.splice(forgotten.begin(), *files, std::prev(files->end()));
  }
}

void SftpConnection::forget_idle() {
  std::list<Remembered> forgotten;
  auto files = files_.lock();
  for (auto file = files->begin(); file != files->end();) {
    const auto next = std::next(file);
    if (file->file.use_count() == 1) forgotten.splice(forgotten.begin(), *files, file);
    file = next;
  }
}

Result<Bytes> SftpConnection::read(const std::string& path, std::uint64_t offset,
                                   std::uint64_t length, Deadline by) {
  auto bytes = read_open(path, offset, length, by);
  if (client_->handles().is_short()) forget_idle();
  return bytes;
}

Result<Bytes> SftpConnection::read_open(const std::string& path, std::uint64_t offset,
                                        std::uint64_t length, Deadline by) {
  if (const auto known = recall(path)) {
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
