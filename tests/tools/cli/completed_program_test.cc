// restree generate
#include "tools/cli/completed_program.h"

#include <errno.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "repo/storage/memory_storage.h"
#include "tests/support/files.h"
#include "tests/support/restree.h"
#include "tools/cli/option_words.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Kind = CompletedValue::Kind;

// One command with an option of every kind.
class Declared : public ::testing::Test {
 protected:
  Declared() {
    CommandSyntax* command = &app_.add_command("save", "Save it: [all]");
    add_flag(*command, "-n,--dry-run", flag_, "It's only said");
    add_list(*command, "--tag", list_, "Any [text]: more");
    add_text(*command, "--from", text_, "A file", TextIs::kFile);
    add_text(*command, "--to", text_, "A folder", TextIs::kFolder);
    add_choice(*command, "--mode", text_, "mode", {"one", "two"}, "How");
    add_arguments(*command, "type", list_, "Which", {"only"});
    add_deprecated_flag(*command, "--secret", flag_, "do without");
    refuse_option(*command, "--refused", Takes::kValue, "Do not.");
    app_.refuse_command("hidden", "");
  }

  CommandSyntax app_{"restree", ""};
  bool flag_ = false;
  std::string text_;
  std::vector<std::string> list_;
};

TEST_F(Declared, HasEverythingThatShellsNeed) {
  const CompletedProgram program = completed_program(app_);
  EXPECT_THAT(program.options, IsEmpty());
  ASSERT_THAT(program.commands, SizeIs(1));
  const CompletedCommand& command = program.commands.front();
  EXPECT_EQ(command.name, "save");
  EXPECT_EQ(command.argument.kind, Kind::kChoice);
  EXPECT_THAT(command.argument.choices, ElementsAre("only"));
  EXPECT_EQ(command.argument_name, "type");

  ASSERT_THAT(command.options, SizeIs(5)) << "none is hidden or refused";
  const auto& [flag, list, file, folder, choice] =
      std::tie(command.options[0], command.options[1], command.options[2], command.options[3],
               command.options[4]);
  EXPECT_THAT(flag.names, ElementsAre("-n", "--dry-run"));
  EXPECT_EQ(flag.value.kind, Kind::kNone);
  EXPECT_EQ(list.value.kind, Kind::kText);
  EXPECT_TRUE(list.is_repeatable);
  EXPECT_FALSE(flag.is_repeatable || file.is_repeatable || choice.is_repeatable);
  EXPECT_EQ(file.value.kind, Kind::kFile);
  EXPECT_EQ(folder.value.kind, Kind::kFolder);
  EXPECT_THAT(choice.value.choices, ElementsAre("one", "two"));
}

TEST_F(Declared, IsQuotedAsEachShellReadsIt) {
  const CompletedProgram program = completed_program(app_);
  EXPECT_THAT(zsh_completion(program),
              AllOf(HasSubstr(R"('save:Save it\: \[all\]')"),
                    HasSubstr(R"('(-n --dry-run)--dry-run[It'\''s only said]')"),
                    HasSubstr(R"('*--tag=[Any \[text\]\: more]:tag: ')"),
                    HasSubstr(R"('(--mode)--mode=[How]:mode:(one two)')")));
  EXPECT_THAT(fish_completion(program), AllOf(HasSubstr(R"(-a save -d 'Save it: [all]')"),
                                              HasSubstr(R"(-s n -l dry-run -d 'It\'s only said')"),
                                              HasSubstr(R"(-l mode -x -a 'one two' -d 'How')")));
  EXPECT_THAT(bash_completion(program), HasSubstr(R"(--mode) kind=choice choices='one two' ;;)"));
  EXPECT_THAT(powershell_completion(program),
              AllOf(HasSubstr("@{ Of = 'save'; Name = '-n'; Kind = ''; Text = 'It''s only said' }"),
                    HasSubstr("@{ Of = 'save'; Name = '--mode'; Kind = 'one|two'; Text = 'How' }"),
                    HasSubstr("@{ Of = 'save'; Name = '--to'; Kind = 'path'; Text = 'A folder' }"),
                    HasSubstr("@{ Name = 'save'; Argument = 'only'; Text = 'Save it: [all]' }")));
}

// As programs are called by the name of a link to them.
class CalledAs {
 public:
  explicit CalledAs(const char* name) : before_(program_invocation_short_name) {
    name_ = name;
    program_invocation_short_name = name_.data();
  }
  ~CalledAs() { program_invocation_short_name = before_; }
  CalledAs(const CalledAs&) = delete;
  CalledAs& operator=(const CalledAs&) = delete;

 private:
  std::string name_;
  char* const before_;
};

class Generate : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> words) const {
    words.insert(words.begin(), "generate");
    return runner_.run_bare(words);
  }
  testing::RestreeRunner runner_{std::make_shared<MemoryStorage>()};
};

TEST_F(Generate, WritesFilesThatKnowEveryCommandAndOption) {
  const CalledAs usual("restree");
  const CompletedProgram program = completed_program(*declared_command_line());
  const std::string zsh = (runner_.folder() / "_restree").string();
  const std::string bash = (runner_.folder() / "restree").string();
  EXPECT_EQ(run({"--zsh-completion", zsh, "--bash-completion", bash}).code, ExitCode::kSuccess);
  EXPECT_EQ(testing::read_file(zsh), zsh_completion(program));
  EXPECT_EQ(testing::read_file(bash), bash_completion(program));
  EXPECT_THAT(program.options, SizeIs(::testing::Gt(10U)));
  EXPECT_TRUE(std::any_of(program.commands.begin(), program.commands.end(),
                          [](const auto& command) { return command.name == "backup"; }));
}

TEST_F(Generate, WritesForTheNameByWhichTheProgramWasCalled) {
  const CalledAs restic("restic-0.19");
  const std::string bash = run({"--bash-completion", "-"}).out;
  EXPECT_THAT(bash, AllOf(HasSubstr("\n_restic_0_19() {\n"),
                          EndsWith("\ncomplete -F _restic_0_19 restic-0.19\n")));
  EXPECT_THAT(bash, Not(HasSubstr("@NAME"))) << "no mark is left";
  const std::string zsh = run({"--zsh-completion", "-"}).out;
  EXPECT_THAT(zsh, AllOf(StartsWith("#compdef restic-0.19\n"),
                         HasSubstr("\n  compdef _restic-0.19 restic-0.19\n")));
  EXPECT_THAT(run({"--fish-completion", "-"}).out,
              HasSubstr("\ncomplete -c restic-0.19 -n __restic_0_19_has_no_command -a backup "));
  EXPECT_THAT(run({"--powershell-completion", "-"}).out, HasSubstr(" -CommandName 'restic-0.19' "));
}

TEST_F(Generate, DoesNotPutAnOddNameIntoAScript) {
  for (const char* const odd : {"", "-restree", "a b", "$(x)", "a'b"}) {
    const CalledAs called(odd);
    EXPECT_THAT(run({"--bash-completion", "-"}).out, EndsWith("\ncomplete -F _restree restree\n"));
  }
}

TEST_F(Generate, WritesTheManualPages) {
  EXPECT_EQ(run({"--man", runner_.folder().string()}).code, ExitCode::kSuccess);
  for (const std::string page : {"restree.1", "restreefs.8", "mount.restreefs.8"}) {
    EXPECT_EQ(testing::read_file(runner_.folder() / page),
              testing::read_file(RESTREE_SOURCE_DIR "/man/" + page));
  }
}

TEST_F(Generate, WritesToTheOutputForOneShell) {
  EXPECT_THAT(run({"--fish-completion", "-"}).out, StartsWith("# fish completion"));
  const Outcome two = run({"--fish-completion", "-", "--zsh-completion", "-"});
  EXPECT_EQ(two.code, ExitCode::kFailure);
  EXPECT_THAT(two.out, IsEmpty());
}

TEST_F(Generate, ReportsRequestsItCannotFulfil) {
  EXPECT_THAT(run({}).err, HasSubstr("nothing to do"));
  const std::string no_folder = (runner_.folder() / "none").string();
  EXPECT_THAT(run({"--man", no_folder}).err, HasSubstr(no_folder + "/restree.1"));
  const Outcome nowhere = run({"--bash-completion", "/nowhere/file"});
  EXPECT_EQ(nowhere.code, ExitCode::kFailure);
  EXPECT_THAT(nowhere.err, HasSubstr("/nowhere/file"));
}

}  // namespace
}  // namespace restree
