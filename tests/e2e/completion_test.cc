// The completions in their shells: what the tab key brings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPrompt = "ready> ";
constexpr const char* kTab = "\t";
constexpr const char* kShowLine = "\x14";  // ^T, as the scripts below bind it

// The completions of restreefs, which stand in files of their own.
constexpr const char* kOfRestreefs = RESTREE_SOURCE_DIR "/fs/restreefs/completions";
// Those of restree that ask the program in PATH.
constexpr const char* kAsking = RESTREE_SOURCE_DIR "/tools/restree/completions";

// PATH with the restree under test in front.
std::string path_to_restree() {
  return fs::path(restree_path()).parent_path().string() + ":" + std::getenv("PATH");
}

class Shell {
 public:
  virtual ~Shell() = default;
  // The text that the shell shows for the tab key behind `line`, and then the completed line.
  virtual std::string completed(const std::string& line) = 0;
  // Beside the names, it shows what they are.
  virtual bool describes() const { return true; }
};

// A shell that has its lines edited on a terminal, and a key that shows the line as [[line]] and
// forgets it.
class TypedShell : public Shell {
 public:
  std::string completed(const std::string& line) override {
    terminal_->type(line + kTab + kShowLine);
    std::string shown = terminal_->shown_until("]]");
    terminal_->shown_until(kPrompt);
    return shown;
  }

 protected:
  void start(std::vector<std::string> argv) {
    const std::string home = dir_.path().string();
    terminal_.emplace(std::move(argv), std::vector<std::pair<std::string, std::string>>{
                                           {"HOME", home},
                                           {"ZDOTDIR", home},
                                           {"TERM", "dumb"},
                                           {"INPUTRC", "/dev/null"},
                                           {"PATH", path_to_restree()}});
    terminal_->shown_until(kPrompt);
  }
  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }

 private:
  const TempDir dir_;
  std::optional<Terminal> terminal_;
};

class Bash : public TypedShell {
 public:
  // `asking`: a script that asks restree; empty: one that restree has written.
  explicit Bash(std::string asking = {}) {
    const std::string script = asking.empty() ? path("completions") : std::move(asking);
    if (script == path("completions")) {
      run_ok({.argv = {restree_path(), "generate", "--bash-completion", script}});
    }
    write_file(path("rc"), "source " + script + "\nsource " + kOfRestreefs + "/restreefs" + R"(
bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
show() { printf '[[%s]]' "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\C-t": show'
PS1=')" + std::string(kPrompt) +
                               "'\n");
    start({"bash", "--noprofile", "--rcfile", path("rc"), "-i"});
  }
  bool describes() const override { return false; }
};

class Zsh : public TypedShell {
 public:
  explicit Zsh(const std::string& asking = {}) {
    if (asking.empty()) {
      run_ok({.argv = {restree_path(), "generate", "--zsh-completion", path("_restree")}});
    }
    const std::string folder = asking.empty() ? path("") : asking;
    write_file(path(".zshrc"), "fpath=(" + folder + " " + kOfRestreefs + " $fpath)" + R"(
autoload -Uz compinit && compinit -u -D
unsetopt beep list_ambiguous zle_bracketed_paste prompt_sp
LISTMAX=10000
show() { zle -I; print -rn -- "[[$BUFFER]]"; BUFFER= }
zle -N show
bindkey -e
bindkey '^T' show
PS1=')" + std::string(kPrompt) + "'\n");
    start({"zsh", "-o", "no_global_rcs", "-i"});
  }
};

// fish prints the completions of a line that it gets as an argument.
class Fish : public Shell {
 public:
  explicit Fish(std::string asking = {}) : asking_(std::move(asking)) {
    if (asking_.empty()) {
      run_ok({.argv = {restree_path(), "generate", "--fish-completion", script()}});
    }
  }
  std::string completed(const std::string& line) override {
    return run_ok({.argv = {"fish", "--no-config", "--command",
                            "source $argv[1]; source $argv[2]; complete --do-complete $argv[3]",
                            script(), std::string(kOfRestreefs) + "/restreefs.fish", line},
                   .env = {{"HOME", dir_.path().string()}, {"PATH", path_to_restree()}}});
  }

 private:
  std::string script() const {
    return asking_.empty() ? (dir_.path() / "restree.fish").string() : asking_;
  }
  const std::string asking_;
  const TempDir dir_;
};

class BashThatAsks final : public Bash {
 public:
  BashThatAsks() : Bash(std::string(kAsking) + "/restree") {}
};

class ZshThatAsks final : public Zsh {
 public:
  ZshThatAsks() : Zsh(kAsking) {}
};

class FishThatAsks final : public Fish {
 public:
  FishThatAsks() : Fish(std::string(kAsking) + "/restree.fish") {}
};

class Completion : public ::testing::TestWithParam<Shell& (*)()> {
 protected:
  void SetUp() override {
    write_file(files_.path() / "a-file", "");
    fs::create_directory(files_.path() / "a-folder");
  }
  std::string completed(const std::string& line) { return GetParam()().completed(line); }
  // A line that ends in the beginning of two names.
  std::string completed_path(const std::string& words) {
    return completed(words + (files_.path() / "a-").string());
  }
  bool describes() const { return GetParam()().describes(); }

 private:
  const TempDir files_;
};

// One for all tests: zsh takes seconds to start.
template <class Kind>
Shell& the() {
  static Kind shell;
  return shell;
}

auto offers_both() { return AllOf(HasSubstr("a-file"), HasSubstr("a-folder")); }
auto offers_the_folder() { return AllOf(HasSubstr("a-folder"), Not(HasSubstr("a-file"))); }
auto offers_neither() { return AllOf(Not(HasSubstr("a-file")), Not(HasSubstr("a-folder"))); }

TEST_P(Completion, KnowsTheCommandsThatThereAre) {
  EXPECT_THAT(completed("restree gen"), HasSubstr("generate"));
  const std::string all = completed("restree ");
  EXPECT_THAT(all, AllOf(HasSubstr("backup"), HasSubstr("snapshots"), HasSubstr("help")));
  EXPECT_THAT(all, Not(HasSubstr("self-update"))) << "it is refused";
  if (describes()) {
    EXPECT_THAT(all, HasSubstr("List the snapshots"));
  }
}

TEST_P(Completion, FindsTheCommandBehindOptionsAndTheirValues) {
  EXPECT_THAT(completed("restree -r backup gen"), HasSubstr("generate"));
  EXPECT_THAT(completed("restree --json --repo=sftp:u@host:/x gen"), HasSubstr("generate"));
  EXPECT_THAT(completed("restree -o sftp.command=ssh -r sftp:u@host:x gen"), HasSubstr("generate"));
  EXPECT_THAT(completed("restree backup gen"), Not(HasSubstr("generate")));
}

TEST_P(Completion, KnowsTheOptionsOfTheCommandAndOfAll) {
  const std::string excludes = completed("restree backup --exclude-");
  EXPECT_THAT(excludes, AllOf(HasSubstr("--exclude-caches"), HasSubstr("--exclude-file")));
  EXPECT_THAT(excludes, Not(HasSubstr("--exclude-cloud-files"))) << "it is refused";
  if (describes()) {
    EXPECT_THAT(excludes, HasSubstr("CACHEDIR.TAG"));
  }
  EXPECT_THAT(completed("restree --passw"), HasSubstr("--password-command"));
  EXPECT_THAT(completed("restree backup --passw"), HasSubstr("--password-command"));
  EXPECT_THAT(completed("restree backup --read-d"), Not(HasSubstr("--read-data")));
  EXPECT_THAT(completed("restree check --read-d"), HasSubstr("--read-data-subset"));
  EXPECT_THAT(completed("restree forget --keep-within-"), HasSubstr("--keep-within-monthly"));
}

TEST_P(Completion, DoesNotOfferHiddenOptions) {
  EXPECT_THAT(completed("restree check --check-u"), Not(HasSubstr("--check-unused")));
  EXPECT_THAT(completed("restree forget --hostn"), Not(HasSubstr("--hostname")));
  EXPECT_THAT(completed("restree --tls-"), Not(HasSubstr("--tls-client-cert")));
}

TEST_P(Completion, KnowsTheWordsOfAChoice) {
  EXPECT_THAT(completed("restree --compression "), AllOf(HasSubstr("auto"), HasSubstr("fastest")));
  EXPECT_THAT(completed("restree --compression=fa"), HasSubstr("--compression=fastest"));
  EXPECT_THAT(completed("restree restore --overwrite if-"),
              AllOf(HasSubstr("if-changed"), HasSubstr("if-newer")));
  EXPECT_THAT(completed("restree list in"), HasSubstr("index"));
  EXPECT_THAT(completed("restree cat blob in"), Not(HasSubstr("index")));
  EXPECT_THAT(completed("restree help snap"), HasSubstr("snapshots"));
}

TEST_P(Completion, FindsFilesWhereThereAreToBeSome) {
  EXPECT_THAT(completed_path("restree backup "), offers_both());
  EXPECT_THAT(completed_path("restree backup -x -- "), offers_both());
  EXPECT_THAT(completed_path("restree --password-file "), offers_both());
  EXPECT_THAT(completed_path("restree snapshots --password-file="), offers_both());
  EXPECT_THAT(completed_path("restree backup --files-from "), offers_both());
  EXPECT_THAT(completed_path("restree mount "), offers_the_folder());
  EXPECT_THAT(completed_path("restree restore latest --target "), offers_the_folder());
  EXPECT_THAT(completed_path("restree snapshots "), offers_neither());
  EXPECT_THAT(completed_path("restree backup --host "), offers_neither());
}

TEST_P(Completion, KnowsTheOptionsOfAMount) {
  EXPECT_THAT(completed("restreefs -o pass"),
              AllOf(HasSubstr("password_file"), HasSubstr("password_command")));
  EXPECT_THAT(completed("restreefs -o no_cache,ssh_k"),
              AllOf(HasSubstr("ssh_key"), HasSubstr("ssh_known_hosts")));
  EXPECT_THAT(completed("restreefs --versi"), HasSubstr("--version"));
  EXPECT_THAT(completed_path("restreefs "), offers_the_folder());
}

INSTANTIATE_TEST_SUITE_P(InBash, Completion, ::testing::Values(the<Bash>, the<BashThatAsks>));
INSTANTIATE_TEST_SUITE_P(InZsh, Completion, ::testing::Values(the<Zsh>, the<ZshThatAsks>));
INSTANTIATE_TEST_SUITE_P(InFish, Completion, ::testing::Values(the<Fish>, the<FishThatAsks>));

}  // namespace
}  // namespace restree::testing
