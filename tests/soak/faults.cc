#include "tests/soak/faults.h"

#include <chrono>
#include <system_error>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/scale.h"
#include "tests/support/status_fields.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kReadingsWithoutCache = 100;

// The connections are new right away, so whoever reads need not notice; nor that the cache is gone.
bool excuses_errors(Fault fault) {
  switch (fault) {
    case Fault::kSilence:
    case Fault::kRestart:
    case Fault::kStall:
    case Fault::kLongSilence:
    case Fault::kLongAbsence:
      return true;
    default:
      return false;
  }
}

bool is_long(Fault fault) { return fault == Fault::kLongSilence || fault == Fault::kLongAbsence; }

// The fault is that something takes a while, so a while is what passes here.
milliseconds moment(SplitMix64& random) { return milliseconds(200 + random() % 2800); }

std::vector<fs::path> files_of_cache(const fs::path& cache) {
  std::vector<fs::path> files;
  std::error_code gone;  // others remove files meanwhile
  for (fs::recursive_directory_iterator at(cache, gone), end; !gone && at != end;
       at.increment(gone)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) files.push_back(at->path());
  }
  return files;
}

void damage(const fs::path& file, SplitMix64& random) {
  std::error_code ignored;
  const std::uint64_t size = fs::file_size(file, ignored);
  if (ignored || size == 0) return;
  try {
    switch (random() % 4) {
      case 0:
        return fs::resize_file(file, random() % size);
      case 1:
        return write_file(file, random_bytes(random(), std::min<std::uint64_t>(size, 2000)));
      default:
        for (int i = 0; i < 20; ++i) flip_byte(file, random() % size);
    }
  } catch (const std::system_error&) {
    // It is gone, which is a fault as well.
  }
}

void damage_some(const fs::path& cache, SplitMix64& random) {
  const auto files = files_of_cache(cache);
  for (const auto& file : files) {
    const bool is_note = file.parent_path().parent_path() == cache;
    if (is_note || random() % 3 == 0) damage(file, random);
  }
}

void remove_some(const fs::path& cache, SplitMix64& random) {
  for (const auto& file : files_of_cache(cache)) {
    std::error_code ignored;
    if (random() % 2 == 0) fs::remove(file, ignored);
  }
}

}  // namespace

const char* name_of(Fault fault) {
  switch (fault) {
    case Fault::kCutLine:
      return "cut line";
    case Fault::kKilledServers:
      return "killed connections";
    case Fault::kStall:
      return "stalled line";
    case Fault::kSilence:
      return "stopped server";
    case Fault::kRestart:
      return "restarted server";
    case Fault::kLongSilence:
      return "long stopped server";
    case Fault::kLongAbsence:
      return "long absent server";
    case Fault::kCacheDamage:
      return "damaged cache";
    case Fault::kCacheDeletion:
      return "deleted cache";
    case Fault::kCachePartDeletion:
      return "half deleted cache";
  }
  return "";
}

std::vector<Fault> short_faults() {
  return {Fault::kCutLine, Fault::kKilledServers, Fault::kStall,         Fault::kSilence,
          Fault::kRestart, Fault::kCacheDamage,   Fault::kCacheDeletion, Fault::kCachePartDeletion};
}

std::uint64_t status_number(const Mounted& mounted, const std::string& field) {
  const std::string value = status_fields(read_file(mounted / ".restree/status")).at(field);
  return value == "null" ? 0 : std::stoull(value);
}

std::string Faults::strike(Fault fault, SplitMix64& random) {
  {
    auto state = state_.lock();
    state->current = name_of(fault);
    ++state->counts[name_of(fault)];
    if (excuses_errors(fault)) state->moment = {state->moment.begun + 1, true};
  }
  std::string complaint = do_it(fault, random);
  if (is_long(fault)) complaint += wait_until_online(false);
  victims_.server.start();  // which do nothing where nothing was stopped
  victims_.server.thaw();
  complaint += wait_until_online(true);
  auto state = state_.lock();
  state->current.clear();
  state->moment.excusing = false;
  return complaint.empty() ? complaint : std::string(name_of(fault)) + ": " + complaint;
}

std::string Faults::do_it(Fault fault, SplitMix64& random) {
  switch (fault) {
    case Fault::kCutLine:
      victims_.line.cut();
      break;
    case Fault::kKilledServers:
      victims_.server.kill_connections();
      break;
    case Fault::kStall: {
      const milliseconds time = moment(random);
      victims_.line.stall(time);
      std::this_thread::sleep_for(time);
      break;
    }
    case Fault::kSilence:
      victims_.server.freeze();
      std::this_thread::sleep_for(moment(random));
      break;
    case Fault::kRestart:
      victims_.server.stop();
      std::this_thread::sleep_for(moment(random));
      break;
    case Fault::kLongSilence:
      victims_.server.freeze();
      break;
    case Fault::kLongAbsence:
      victims_.server.stop();
      break;
    case Fault::kCacheDamage:
      damage_some(victims_.cache, random);
      break;
    case Fault::kCacheDeletion:
      return delete_cache();
    case Fault::kCachePartDeletion:
      remove_some(victims_.cache, random);
      break;
  }
  return {};
}

// Returns when the mounts have made it again and keep there what is read; or when many readings have
// ended for which the cache was not even asked, as all that is read lies in memory.
std::string Faults::delete_cache() const {
  std::error_code ignored;
  fs::remove_all(victims_.cache, ignored);
  std::string complaint;
  for (const auto& mounted : victims_.mounts) {
    const auto kept = [&] { return status_number(*mounted, "cache_kept_bytes"); };
    const auto misses = [&] { return status_number(*mounted, "cache_misses"); };
    const std::uint64_t before = kept();
    std::uint64_t missed = misses();
    std::uint64_t enough = victims_.readings + kReadingsWithoutCache;
    const bool is_used = holds_within(seconds(patient(600)), [&] {
      if (kept() > before && !files_of_cache(victims_.cache).empty()) return true;
      if (const std::uint64_t now = misses(); now != missed) {
        missed = now;
        enough = victims_.readings + kReadingsWithoutCache;
      }
      return victims_.readings >= enough;
    });
    if (!is_used) complaint += mounted->path().string() + " keeps nothing in its cache any more\n";
  }
  return complaint;
}

std::string Faults::wait_until_online(bool online) const {
  for (const auto& mounted : victims_.mounts) {
    const std::string wanted = online ? "true" : "false";
    const bool is = holds_within(seconds(patient(600)), [&] {
      return status_fields(read_file(*mounted / ".restree/status")).at("online") == wanted;
    });
    if (!is) return mounted->path().string() + " is never online=" + wanted + "\n";
  }
  return {};
}

Faults::Moment Faults::now() const { return state_.lock()->moment; }

bool Faults::excuse_since(Moment moment) const {
  return moment.excusing || now().begun != moment.begun;
}

std::map<std::string, unsigned> Faults::counts() const { return state_.lock()->counts; }
std::string Faults::current() const { return state_.lock()->current; }

}  // namespace restree::testing
