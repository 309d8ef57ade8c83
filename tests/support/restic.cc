#include "tests/support/restic.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/support/quick_key.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

namespace {

// An empty repository of restic's: to make one takes a second, and nearly every test begins so.
class Pristine {
 public:
  Pristine(const std::string& binary, int format_version) : restic_(dir_.path(), binary) {
    restic_.init_slowly(format_version);
    make_key_quick(restic_.repository());
  }
  const std::filesystem::path& repository() const { return restic_.repository(); }

 private:
  TempDir dir_;
  Restic restic_;
};

}  // namespace

Restic::Restic(std::filesystem::path home, std::string binary)
    : home_(std::move(home)), repository_(home_ / "repository"), binary_(std::move(binary)) {}

std::vector<std::pair<std::string, std::optional<std::string>>> Restic::environment() const {
  return {{"RESTIC_REPOSITORY", repository_.string()},
          {"RESTIC_PASSWORD", kPassword},
          {"RESTIC_CACHE_DIR", (home_ / "restic-cache").string()},
          {"RESTIC_PASSWORD_FILE", std::nullopt},
          {"RESTIC_PASSWORD_COMMAND", std::nullopt}};
}

Command Restic::command(std::vector<std::string> words, const std::filesystem::path& folder) const {
  words.insert(words.begin(), binary_);
  return {.argv = std::move(words), .env = environment(), .folder = folder};
}

Finished Restic::run(std::vector<std::string> words, const std::filesystem::path& folder) const {
  return testing::run(command(std::move(words), folder));
}

Process Restic::start(std::vector<std::string> words) const {
  return Process::start(command(std::move(words), {}));
}

std::string Restic::run_ok(std::vector<std::string> words,
                           const std::filesystem::path& folder) const {
  return testing::run_ok(command(std::move(words), folder));
}

void Restic::init_slowly(int format_version) const {
  std::filesystem::create_directories(home_);
  run_ok({"init", "--repository-version", std::to_string(format_version)});
}

void Restic::init(int format_version) const {
  static std::map<std::pair<std::string, int>, std::unique_ptr<Pristine>> made;
  std::unique_ptr<Pristine>& pristine = made[{binary_, format_version}];
  if (pristine == nullptr) pristine = std::make_unique<Pristine>(binary_, format_version);
  std::filesystem::create_directories(home_);
  testing::run_ok({.argv = {"cp", "-aT", pristine->repository().string(), repository_.string()}});
}

std::string Restic::backup(std::vector<std::string> words,
                           const std::filesystem::path& folder) const {
  words.insert(words.begin(), {"backup", "--json"});
  const std::string out = run_ok(std::move(words), folder);
  static constexpr std::string_view kField = R"("snapshot_id":")";
  const auto at = out.rfind(kField);
  if (at == std::string::npos) throw std::runtime_error("restic backup named no snapshot: " + out);
  return out.substr(at + kField.size(), 8);
}

void Restic::forget(const std::string& id) const { run_ok({"forget", id}); }
void Restic::prune() const { run_ok({"prune", "--max-unused", "0"}); }
void Restic::check() const { run_ok({"check", "--read-data"}); }

void Restic::restore(const std::string& id, const std::filesystem::path& into) const {
  run_ok({"restore", id, "--target", into.string()});
}

}  // namespace restree::testing
