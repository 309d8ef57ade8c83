// Anything at all in the place of a file of the repository, or beside its files under a right name, put there
// by somebody without the password: all data that this does not hit come back, within the deadline, and
// never a wrong byte.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "repo/base/unique_fd.h"
#include "tests/e2e/damage_place.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

void must_succeed(bool succeeded, const char* doing) {
  if (!succeeded) throw std::system_error(errno, std::system_category(), doing);
}

// --- What is put there ---------------------------------------------------------------------------

// `at` is free by then; `good`: what a right file of that kind holds.
struct Form {
  std::string name;
  std::function<void(const fs::path& at, const std::string& good)> put;
};

void put_socket(const fs::path& at, const std::string&) {
  // The name of a socket is shorter than that of a pack.
  const fs::path folder = at.parent_path();
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const UniqueFd opened(::open(folder.c_str(), O_PATH | O_CLOEXEC));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "/proc/self/fd/" + std::to_string(opened.get()) + "/s";
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1);
  must_succeed(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0,
               "bind");
  fs::rename(folder / "s", at);
}

void put_sparse(const fs::path& at, const std::string&) {
  write_file(at, "");
  fs::resize_file(at, std::uintmax_t{2} << 30);
}

// A file that can be opened and not read, as on a disk with a broken place: so a mount shows what needs a
// lost pack.
class BrokenPlace {
 public:
  explicit BrokenPlace(const DamagePlace& place) : copy_(place) {
    copy_.remove("single");
    mounted_ = std::make_unique<Mounted>(copy_.restic());
    const std::string snapshot = place.files().at("notes1").filename().string();
    file_ = *mounted_ / "ids" / snapshot.substr(0, 8) / "folder/deep/last";
  }
  const fs::path& file() const { return file_; }

  static std::unique_ptr<BrokenPlace> of_all;

 private:
  DamagedCopy copy_;
  std::unique_ptr<Mounted> mounted_;
  fs::path file_;
};
std::unique_ptr<BrokenPlace> BrokenPlace::of_all;

void put_unreadable(const fs::path& at, const std::string&) {
  const fs::path broken = BrokenPlace::of_all->file();
  must_succeed(fs::file_size(broken) > 0, "stat");
  fs::create_symlink(broken, at);
}

std::vector<Form> forms() {
  return {
      {"Empty", [](const fs::path& at, const std::string&) { write_file(at, ""); }},
      {"TenBytes",
       [](const fs::path& at, const std::string&) { write_file(at, random_bytes(1, 10)); }},
      {"Random",
       [](const fs::path& at, const std::string&) { write_file(at, random_bytes(2, 200)); }},
      {"Truncated",
       [](const fs::path& at, const std::string& good) {
         write_file(at, good.substr(0, good.size() / 2));
       }},
      {"Flipped",
       [](const fs::path& at, const std::string& good) {
         write_file(at, good);
         flip_byte(at, good.size() / 2);
       }},
      {"Lengthened",
       [](const fs::path& at, const std::string& good) { write_file(at, good + "more"); }},
      {"Sparse", put_sparse},
      {"Fifo", [](const fs::path& at,
                  const std::string&) { must_succeed(::mkfifo(at.c_str(), 0666) == 0, "mkfifo"); }},
      {"Socket", put_socket},
      {"Device",  // /dev/zero, which never ends
       [](const fs::path& at, const std::string&) {
         must_succeed(::mknod(at.c_str(), S_IFCHR | 0666, makedev(1, 5)) == 0, "mknod");
       }},
      {"Folder", [](const fs::path& at, const std::string&) { fs::create_directory(at); }},
      {"LinkToItself",
       [](const fs::path& at, const std::string&) { fs::create_symlink(at.filename(), at); }},
      {"LinkToEndless",
       [](const fs::path& at, const std::string&) { fs::create_symlink("/dev/zero", at); }},
      {"LinkToNothing",
       [](const fs::path& at, const std::string&) { fs::create_symlink("/nowhere", at); }},
      {"Unreadable", put_unreadable},
  };
}

// Another file of the same kind, which is whole: an older one that was put back, or a copy.
const Form& another_file() {
  static const Form form{"AnotherFile",
                         [](const fs::path& at, const std::string& good) { write_file(at, good); }};
  return form;
}

// --- Where ---------------------------------------------------------------------------------------

struct Spot {
  std::string name;
  // The folder of the repository for one that is added; or the file whose place it takes.
  std::optional<std::string> folder = std::nullopt;
  std::string file = {};
  std::string like = {};  // the right file from which contents are made
  std::set<std::string> lost = {};
  std::set<std::string> gone = {};
};

std::vector<Spot> spots() {
  return {
      {.name = "OneMoreKey", .folder = "keys", .like = "key"},
      {.name = "OneMoreLock", .folder = "locks", .like = "mail"},
      {.name = "OneMoreSnapshot", .folder = "snapshots", .like = "mail"},
      {.name = "OneMoreIndex", .folder = "index", .like = "newer"},
      {.name = "OneMorePack", .folder = "data/dd", .like = "later"},
      {.name = "ForASnapshot", .file = "mail", .like = "notes1", .gone = {"mail"}},
      {.name = "ForAnIndex", .file = "older", .like = "newer"},
      {.name = "ForAPackOfData", .file = "single", .like = "mixed", .lost = {"last"}},
      {.name = "ForAPackOfTrees", .file = "roots", .like = "later", .lost = {"notes2/", "mail/"}},
  };
}

struct Poison {
  Form form;
  Spot spot;
  bool is_far = false;  // over SFTP
};
std::string name_of(const Poison& poison) {
  return poison.spot.name + poison.form.name + (poison.is_far ? "OverSftp" : "");
}
std::ostream& operator<<(std::ostream& out, const Poison& poison) { return out << name_of(poison); }

// Every form at every spot; each fourth over SFTP, too. Of all, a test takes each second one;
// RESTREE_ALL_POISONS takes every one.
std::vector<Poison> all_poisons() {
  std::vector<Poison> all;
  std::size_t number = 0;
  const std::size_t step = std::getenv("RESTREE_ALL_POISONS") != nullptr ? 1
                           : test_scale() < 1.0                          ? 7
                                                                         : 2;
  for (const Spot& spot : spots()) {
    std::vector<Form> here = forms();
    here.push_back(another_file());
    for (Form& form : here) {
      if (++number % step != 0) continue;
      if (number % 4 == 0) all.push_back({form, spot, true});
      all.push_back({std::move(form), spot});
    }
  }
  return all;
}

class PoisonedRepository : public ::testing::TestWithParam<Poison> {
 protected:
  static void SetUpTestSuite() {
    place_ = std::make_unique<DamagePlace>();
    sshd_ = std::make_unique<Sshd>();
    BrokenPlace::of_all = std::make_unique<BrokenPlace>(*place_);
  }
  static void TearDownTestSuite() {
    BrokenPlace::of_all.reset();
    place_.reset();
    sshd_.reset();
  }

  // A lock that nobody has refreshed for hours belongs to nobody.
  void SetUp() override {
    const Spot& spot = GetParam().spot;
    const std::string good = read_file(copy_.file(spot.like));
    at_ = spot.folder ? copy_.root() / *spot.folder / std::string(64, 'd') : copy_.file(spot.file);
    fs::create_directories(at_.parent_path());
    fs::remove(at_);
    GetParam().form.put(at_, good);
    const timespec hours_ago{.tv_sec = ::time(nullptr) - 7200, .tv_nsec = 0};
    const timespec times[] = {hours_ago, hours_ago};
    must_succeed(::utimensat(AT_FDCWD, at_.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, "utimensat");
  }

  // A server that waits for the other end of a FIFO would outlive all that has started it.
  void TearDown() override {
    if (fs::is_fifo(fs::symlink_status(at_))) {
      const UniqueFd other_end(::open(at_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    }
  }

  Finished restree(Strings words) const {
    // To take a lock takes a fifth of a second each time.
    if (words.front() != "backup" && GetParam().spot.folder != "locks")
      words.emplace_back("--no-lock");
    const RestreeProgram program =
        GetParam().is_far ? RestreeProgram(copy_.restic(), *sshd_) : RestreeProgram(copy_.restic());
    // The server itself waits for ever for the other end of a FIFO.
    if (GetParam().is_far) words.insert(words.end(), {"-o", "silence_timeout=2"});
    Command command = program.command(std::move(words));
    command.folder = copy_.folder();
    command.timeout = std::chrono::seconds(patient(60));
    Finished done = run(command);
    EXPECT_FALSE(done.timed_out) << done.report();
    EXPECT_LT(done.exit_code, 128) << done.report();
    return done;
  }
  MountRequest mount_request() const {
    return GetParam().is_far ? mount_over_ssh(copy_.restic(), *sshd_, SshTransport::kBuiltIn,
                                              {"silence_timeout=2"})
                             : mount_of(copy_.restic());
  }
  static std::string id_of(const std::string& snapshot) {
    return place_->files().at(snapshot).filename().string();
  }
  Strings good_snapshots() const {
    Strings good{"notes1", "notes2", "mail"};
    std::erase_if(good, [](const auto& name) { return GetParam().spot.gone.contains(name); });
    return good;
  }
  static Content shown(const std::string& snapshot) {
    return place_->shown_content_of(snapshot, GetParam().spot.lost);
  }
  void expect_restored(const std::string& snapshot) const;

  static std::unique_ptr<DamagePlace> place_;
  static std::unique_ptr<Sshd> sshd_;
  DamagedCopy copy_{*place_};
  fs::path at_;  // of what was put there
};
std::unique_ptr<DamagePlace> PoisonedRepository::place_;
std::unique_ptr<Sshd> PoisonedRepository::sshd_;

// What needs the lost data is an error and not there; all else is there, as it was.
void PoisonedRepository::expect_restored(const std::string& snapshot) const {
  const fs::path target = copy_.folder() / ("restored-" + snapshot);
  const Finished done = restree({"restore", id_of(snapshot), "--target", target.string()});
  Content expected = shown(snapshot);
  const std::size_t all = place_->content_of(snapshot)->size();
  const auto lost =
      std::erase_if(expected, [](const auto& one) { return one.second == kUnreadable; });
  EXPECT_EQ(done.ok(), lost == 0 && expected.size() == all) << done.report();
  Content found = fs::exists(target) ? content_below(target) : Content();
  // A folder that cannot be read may be there, as it is known to its parent.
  std::erase_if(found, [&](const auto& one) {
    return one.second == kFolder && !expected.contains(one.first);
  });
  EXPECT_EQ(found, expected) << snapshot;
}

TEST_P(PoisonedRepository, GivesAllThatIsNotHit) {
  const Finished listed = restree({"snapshots", "--json"});
  for (const std::string& name : good_snapshots()) {
    EXPECT_THAT(listed.out, HasSubstr(id_of(name))) << listed.report();
    expect_restored(name);
  }
  {
    const Mounted mounted(mount_request());
    for (const std::string& name : good_snapshots()) {
      EXPECT_EQ(content_below(mounted / "ids" / id_of(name).substr(0, 8)), shown(name))
          << mounted.log();
    }
  }

  const Finished checked = restree({"check", "-v"});
  EXPECT_THAT(checked.out + checked.err + listed.err,
              HasSubstr(at_.filename().string().substr(0, 8)))
      << "what is wrong is named: " << checked.report();

  const fs::path source = copy_.folder() / "source";
  write_file(source, "what is backed up now");
  const Finished saved = restree({"backup", "--json", source.string()});
  EXPECT_TRUE(saved.ok()) << saved.report();
  const Finished back = restree({"dump", "latest", source.string()});
  EXPECT_EQ(back.out, "what is backed up now") << back.report();
}

INSTANTIATE_TEST_SUITE_P(Any, PoisonedRepository, ::testing::ValuesIn(all_poisons()),
                         [](const auto& row) { return name_of(row.param); });

// --- Very many -----------------------------------------------------------------------------------

class ManyPoisons : public ::testing::TestWithParam<const char*> {};

TEST_P(ManyPoisons, DoNotHoldARestoreUp) {
  const DamagePlace place;
  const DamagedCopy copy(place);
  const fs::path folder = copy.root() / GetParam();
  const std::uint64_t count = scaled(20'000, 2'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    // In every listing by name they come before the good files; a third has the size of a key.
    std::string name = std::to_string(i);
    name.insert(0, 64 - name.size(), '0');
    write_file(folder / name, i % 3 == 0 ? "" : std::string(i % 3 == 1 ? 7 : 450, 'n'));
  }
  Command command = RestreeProgram(copy.restic())
                        .command({"restore", place.files().at("notes2").filename().string(),
                                  "--target", (copy.folder() / "target").string()});
  command.timeout = std::chrono::seconds(patient(60));
  const Finished done = run(command);
  EXPECT_TRUE(done.ok()) << done.report().substr(0, 2000);
  EXPECT_EQ(content_below(copy.folder() / "target"), place.content_of("notes2"));
}

INSTANTIATE_TEST_SUITE_P(Of, ManyPoisons, ::testing::Values("snapshots", "index", "keys", "locks"),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace restree::testing
