#include "tools/output/output.h"

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>

#include "tests/support/environment.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

using testing::KeptIo;

constexpr int kQuiet = 0;
constexpr int kUsual = 1;
constexpr int kVerbose = 2;
constexpr int kVerboseTwice = 3;

// What all calls print to standard output, each its own name.
std::string printed(bool is_json, int verbosity) {
  KeptIo io;
  const Output output(io, is_json, verbosity);
  output.say_even_if_quiet("even_if_quiet");
  output.say("say");
  output.detail("detail");
  output.item("item");
  output.json("{}");
  return io.printed();
}

std::string complaints(bool is_json, int verbosity) {
  KeptIo io;
  const Output output(io, is_json, verbosity);
  output.warn("warn");
  output.note("note");
  output.json_error("{}");
  return io.complaints();
}

TEST(Output, PrintsForPeopleAsMuchAsTheyAskFor) {
  EXPECT_EQ(printed(false, kQuiet), "even_if_quiet\n");
  EXPECT_EQ(printed(false, kUsual), "even_if_quiet\nsay\n");
  EXPECT_EQ(printed(false, kVerbose), "even_if_quiet\nsay\ndetail\n");
  EXPECT_EQ(printed(false, kVerboseTwice), "even_if_quiet\nsay\ndetail\nitem\n");
}

TEST(Output, PrintsOnlyObjectsForPrograms) {
  EXPECT_EQ(printed(true, kQuiet), "{}\n");
  EXPECT_EQ(printed(true, kVerboseTwice), "{}\n");
}

TEST(Output, AlwaysWarns) {
  EXPECT_EQ(complaints(false, kQuiet), "warn\n");
  EXPECT_EQ(complaints(false, kUsual), "warn\nnote\n");
  EXPECT_EQ(complaints(true, kUsual), "warn\n{}\n");
}

TEST(Output, PrintsAnErrorAboutAnItemAsALineOrAnObject) {
  const Error error(ErrorKind::kDenied, "no \"way\"");
  KeptIo for_people;
  Output(for_people, false, kQuiet).item_error("warm", "/f", error, "ignoring /f");
  EXPECT_EQ(for_people.complaints(), "ignoring /f\n");
  KeptIo for_programs;
  Output(for_programs, true, kQuiet).item_error("warm", "/f", error, "ignoring /f");
  EXPECT_EQ(for_programs.complaints(),
            R"({"message_type":"error","error":{"message":"no \"way\""},"during":"warm",)"
            R"("item":"/f"})"
            "\n");
}

TEST(Output, PrintsTheErrorThatEndsACommandAndReturnsItsCode) {
  KeptIo for_people;
  EXPECT_EQ(Output(for_people, false, kQuiet).exit_error("not all", ExitCode::kIncomplete),
            ExitCode::kIncomplete);
  EXPECT_EQ(for_people.complaints(), "not all\n");
  KeptIo for_programs;
  Output(for_programs, true, kQuiet).exit_error("not all", ExitCode::kIncomplete);
  EXPECT_EQ(for_programs.complaints(),
            "{\"message_type\":\"exit_error\",\"code\":3,\"message\":\"not all\"}\n");
}

TEST(Output, ShowsProgressOnATerminalAndToPrograms) {
  using namespace std::chrono_literals;
  testing::Environment environment;
  environment.set("RESTIC_PROGRESS_FPS", std::nullopt);
  KeptIo file;
  EXPECT_EQ(Output(file, false, kUsual).progress_interval(), 0s);
  EXPECT_EQ(Output(file, true, kUsual).progress_interval(), 100ms);
  EXPECT_EQ(Output(file, true, kQuiet).progress_interval(), 0s);
  KeptIo terminal;
  terminal.be_a_terminal();
  EXPECT_EQ(Output(terminal, false, kUsual).progress_interval(), 100ms);
  EXPECT_EQ(Output(terminal, false, kQuiet).progress_interval(), 0s);
  environment.set("RESTIC_PROGRESS_FPS", "4");
  EXPECT_EQ(Output(file, false, kUsual).progress_interval(), 250ms);
  EXPECT_EQ(Output(file, true, kUsual).progress_interval(), 250ms);
  EXPECT_EQ(Output(file, false, kQuiet).progress_interval(), 0s);
  EXPECT_EQ(Output(file, true, kQuiet).progress_interval(), 250ms);
  environment.set("RESTIC_PROGRESS_FPS", "1000");
  EXPECT_EQ(Output(file, true, kUsual).progress_interval(), 16666666ns) << "60 a second";
}

}  // namespace
}  // namespace restree
