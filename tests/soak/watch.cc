#include "tests/soak/watch.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <sstream>

#include "repo/base/waiting.h"
#include "tests/soak/faults.h"
#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

// What the second half may take at rest beyond the most of the first half. A mount has up to four
// connections, each a descriptor or a child with three; idle workers come and go; the allocator does
// not give back everything.
constexpr Use kBounds{.memory = 24 * kMiB, .descriptors = 12, .threads = 12, .children = 4};

std::uint64_t number_after(const std::string& text, const std::string& word) {
  const auto at = text.find(word);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + word.size()));
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::uint64_t children_of(pid_t pid) {
  std::uint64_t count = 0;
  std::error_code gone;  // threads end meanwhile
  const fs::path tasks = fs::path("/proc") / std::to_string(pid) / "task";
  for (fs::directory_iterator at(tasks, gone), end; !gone && at != end; at.increment(gone)) {
    std::istringstream words(text_of(at->path() / "children"));
    count +=
        static_cast<std::uint64_t>(std::distance(std::istream_iterator<std::string>(words), {}));
  }
  return count;
}

}  // namespace

Use use_of(const Mounted& mounted) {
  const fs::path process = fs::path("/proc") / std::to_string(mounted.pid());
  const std::string status = text_of(process / "status");
  return {.memory = number_after(status, "VmRSS:") * kKiB,
          .descriptors = names_in(process / "fd").size(),
          .threads = number_after(status, "Threads:"),
          .children = children_of(mounted.pid())};
}

Watch::Watch(const fs::path& curve, std::chrono::milliseconds every,
             const std::vector<std::unique_ptr<Mounted>>& mounts, const SoakCounts& counts)
    : mounts_(mounts), counts_(counts), most_(mounts.size()) {
  auto file = curve_.lock();
  file->open(curve);
  *file << "seconds\tmount\trss_kib\tpeak_kib\tdescriptors\tthreads\tchildren\tinodes\tread_mib\t"
           "readings\texcused\tfaults\tsnapshots\tbackups\tprunes\twhen\n";
  thread_ = std::jthread([this, every](const std::stop_token& stop) {
    try {
      while (sleep_for(stop, every)) add_rows("");
    } catch (const std::exception&) {
      // A mount has ended. Its readers report that.
    }
  });
}

void Watch::add_rows(const char* when) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin_);
  for (std::size_t i = 0; i < mounts_.size(); ++i) {
    const Use use = use_of(*mounts_[i]);
    const std::uint64_t peak = status_number(*mounts_[i], "memory_peak_bytes");
    const std::uint64_t inodes = status_number(*mounts_[i], "inodes");
    auto file = curve_.lock();
    *file << seconds.count() << '\t' << i << '\t' << use.memory / kKiB << '\t' << peak / kKiB
          << '\t' << use.descriptors << '\t' << use.threads << '\t' << use.children << '\t'
          << inodes << '\t' << counts_.bytes / kMiB << '\t' << counts_.readings << '\t'
          << counts_.excused << '\t' << counts_.faults << '\t' << counts_.snapshots << '\t'
          << counts_.backups << '\t' << counts_.prunes << '\t' << when << std::endl;
  }
}

std::string Watch::excess(std::size_t mount, const Use& use) const {
  const Use& most = most_[mount];
  std::ostringstream text;
  const auto compare = [&](const char* what, std::uint64_t Use::*field) {
    if (use.*field > most.*field + kBounds.*field) {
      text << "mount " << mount << " takes " << use.*field << ' ' << what
           << " at rest, and took at most " << most.*field << " in the first half\n";
    }
  };
  if (!programs_are_sanitized()) compare("bytes of memory", &Use::memory);
  compare("descriptors", &Use::descriptors);
  compare("threads", &Use::threads);
  compare("children", &Use::children);
  return text.str();
}

std::string Watch::rest(bool second_half) {
  std::string complaints;
  for (std::size_t i = 0; i < mounts_.size(); ++i) {
    if (!second_half) {
      const Use use = use_of(*mounts_[i]);
      most_[i] = {.memory = std::max(most_[i].memory, use.memory),
                  .descriptors = std::max(most_[i].descriptors, use.descriptors),
                  .threads = std::max(most_[i].threads, use.threads),
                  .children = std::max(most_[i].children, use.children)};
      continue;
    }
    std::string beyond;
    holds_within(std::chrono::seconds(patient(120)), [&] {
      beyond = excess(i, use_of(*mounts_[i]));
      return beyond.empty();
    });
    complaints += beyond;
  }
  add_rows("rest");
  return complaints;
}

std::string Watch::bounds() {
  return std::to_string(kBounds.memory / kMiB) + " MiB, " + std::to_string(kBounds.descriptors) +
         " descriptors, " + std::to_string(kBounds.threads) + " threads";
}

}  // namespace restree::testing
