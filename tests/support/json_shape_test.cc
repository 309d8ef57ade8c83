// The comparison of JSON outputs reports each kind of difference.
#include "tests/support/json_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

JsonOutput printed(std::string out, std::string err = "", int exit_code = 0) {
  return JsonOutput(
      {.exit_code = exit_code, .timed_out = false, .out = std::move(out), .err = std::move(err)});
}

std::string shape_differences(const std::string& ours, const std::string& theirs) {
  return line_differences(printed(ours).shape(), printed(theirs).shape());
}

std::string value_differences(const std::string& ours, const std::string& theirs,
                              const Parts& without = {}) {
  return line_differences(printed(ours).values(without), printed(theirs).values(without));
}

TEST(JsonShape, TellsKindsKeysAndTypesInTheirOrder) {
  const JsonOutput output = printed(
      "{\"message_type\":\"node\",\"size\":1,\"at\":[{\"x\":null},{\"y\":true}]}\n"
      "plain words\n"
      "{\"message_type\":\"node\",\"at\":[]}\n",
      "{\"code\":1}", 3);
  EXPECT_THAT(output.shape(), ElementsAre("exit code 3", "stderr {} (1)", "stderr {}.code number",
                                          "stdout node (2)", "stdout node.message_type string",
                                          "stdout node.size number ?", "stdout node.at list",
                                          "stdout node.at[] object", "stdout node.at[].x null ?",
                                          "stdout node.at[].y boolean ?", "stdout text text (1)"));
}

TEST(JsonShape, TakesTheElementsOfAListThatIsAllForMessages) {
  EXPECT_THAT(
      printed("[{\"id\":\"a\"},{\"id\":\"b\"}]").shape(),
      ElementsAre("exit code 0", "stdout [] (2)", "stdout [].id string", "stdout list text (1)"));
  EXPECT_THAT(shape_differences("[]", ""), HasSubstr("- stdout list"));
}

TEST(JsonShape, OfTheSameIsTheSame) {
  const std::string text = R"({"a":{"b":[1,"x"]},"c":null})";
  EXPECT_EQ(shape_differences(text, text), "");
  EXPECT_EQ(value_differences(text, text), "");
}

TEST(JsonShape, DiffersByAKeyAtAnyLevel) {
  EXPECT_EQ(shape_differences("{\"a\":[{\"b\":1}]}", "{\"a\":[{\"c\":1}]}"),
            "- stdout {}.a[].b number\n+ stdout {}.a[].c number\n");
}

TEST(JsonShape, DiffersByAType) {
  EXPECT_EQ(shape_differences("{\"a\":1}", "{\"a\":\"1\"}"),
            "- stdout {}.a number\n+ stdout {}.a string\n");
  EXPECT_EQ(shape_differences("{\"a\":[]}", "{\"a\":null}"),
            "- stdout {}.a list\n+ stdout {}.a null\n");
}

TEST(JsonShape, DiffersByAKeyThatIsNotAlwaysThere) {
  EXPECT_EQ(shape_differences("{\"a\":1}\n{\"a\":1}", "{\"a\":1}\n{}"),
            "- stdout {}.a number\n+ stdout {}.a number ?\n");
}

TEST(JsonShape, DiffersByTheOrderOfKeys) {
  EXPECT_THAT(shape_differences("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"), HasSubstr("order"));
}

TEST(JsonShape, DiffersByKindNumberStreamAndExitCode) {
  const std::string error = R"({"message_type":"error"})";
  EXPECT_NE(shape_differences(error, "{\"message_type\":\"warning\"}"), "");
  EXPECT_NE(shape_differences(error, error + "\n" + error), "");
  EXPECT_NE(line_differences(printed(error).shape(), printed("", error).shape()), "");
  EXPECT_NE(line_differences(printed(error, "", 1).shape(), printed(error, "", 3).shape()), "");
}

TEST(JsonShape, OfProgressIsWhatAllOfItHas) {
  const std::string one = "{\"message_type\":\"status\",\"files_done\":1,\"percent_done\":0.1}\n";
  const std::string bare = "{\"message_type\":\"status\",\"percent_done\":0}\n";
  EXPECT_EQ(shape_differences(one, bare + one + one), "");
  EXPECT_EQ(value_differences(one, bare), "");
  EXPECT_EQ(shape_differences(one, bare), "- stdout status.files_done number\n");
}

TEST(JsonShape, ValuesDifferByWhatKeysSayAndByTheirOrder) {
  EXPECT_EQ(value_differences("{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}"),
            "- stdout {} = {a: {b: [1, 2]}}\n+ stdout {} = {a: {b: [1, 3]}}\n");
  EXPECT_NE(value_differences("{\"a\":1}\n{\"a\":2}", "{\"a\":2}\n{\"a\":1}"), "");
  EXPECT_NE(value_differences("{\"a\":1}", "{\"a\":\"1\"}"), "");
}

TEST(JsonShape, ValuesOfMessagesFromThreadsComeInAnyOrder) {
  const std::string one = "{\"message_type\":\"verbose_status\",\"item\":\"1\"}\n";
  const std::string two = "{\"message_type\":\"verbose_status\",\"item\":\"2\"}\n";
  EXPECT_EQ(value_differences(one + two, two + one), "");
  EXPECT_NE(value_differences(one + two, two + two), "");
}

TEST(JsonShape, LeavesPartsOut) {
  EXPECT_EQ(
      value_differences("{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":1,\"b\":{\"c\":3}}", {"stdout {}.b"}),
      "");
  const JsonOutput output = printed(R"({"a":[{"b":1,"c":2}]})", "words", 1);
  EXPECT_THAT(output.shape({"exit code", "stderr text", "stdout {}.a[].b"}),
              ElementsAre("stdout {} (1)", "stdout {}.a list", "stdout {}.a[] object",
                          "stdout {}.a[].c number"));
  EXPECT_THAT(output.shape({"*"}), IsEmpty());
  EXPECT_THAT(output.values({"*"}), IsEmpty());
}

TEST(JsonShape, RefusesAKeyThatIsThereTwice) {
  EXPECT_THROW(printed("{\"a\":1,\"a\":1}"), std::runtime_error);
}

}  // namespace
}  // namespace restree::testing
