// restree generate
#include "tools/cli/completed_program.h"

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
}

class Generate : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> words) const {
    words.insert(words.begin(), "generate");
    return runner_.run_bare(words);
  }
  testing::RestreeRunner runner_{std::make_shared<MemoryStorage>()};
};

TEST_F(Generate, WritesFilesThatKnowEveryCommandAndOption) {
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

TEST_F(Generate, WritesToTheOutputForOneShell) {
  EXPECT_THAT(run({"--fish-completion", "-"}).out, StartsWith("# fish completion"));
  const Outcome two = run({"--fish-completion", "-", "--zsh-completion", "-"});
  EXPECT_EQ(two.code, ExitCode::kFailure);
  EXPECT_THAT(two.out, IsEmpty());
}

TEST_F(Generate, ReportsRequestsItCannotFulfil) {
  EXPECT_THAT(run({}).err, HasSubstr("nothing to do"));
  EXPECT_THAT(run({"--man", "."}).err, AllOf(HasSubstr("--man"), HasSubstr("are installed")));
  EXPECT_THAT(run({"--powershell-completion", "f"}).err, HasSubstr("bash, fish and zsh"));
  const Outcome nowhere = run({"--bash-completion", "/nowhere/file"});
  EXPECT_EQ(nowhere.code, ExitCode::kFailure);
  EXPECT_THAT(nowhere.err, HasSubstr("/nowhere/file"));
}

}  // namespace
}  // namespace restree
