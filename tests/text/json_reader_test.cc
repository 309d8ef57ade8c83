#include "repo/text/json_reader.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using Fields = std::vector<std::pair<std::string, std::string>>;

// The fields of an object with their tokens; only `wanted` is looked into, as text.
Result<Fields> fields_of(const std::string& text, std::string_view wanted = "") {
  Fields fields;
  const Status status = json::read_json(as_bytes(text), "document", [&](json::Root root) {
    root.each_field([&](std::string_view key, const json::Value& value) {
      fields.emplace_back(key, key == wanted ? value.to_text() : std::string(value.token()));
    });
  });
  if (!status) return status.error();
  return fields;
}

std::string why_refused(const std::string& text) {
  const auto fields = fields_of(text);
  return fields ? "it was read" : fields.error().message();
}

// `text` as the value of a field.
std::string field(const std::string& text) { return R"({"a":)" + text + "}"; }

std::string text_of(const std::string& quoted) {
  const auto fields = fields_of(field(quoted), "a");
  return fields ? fields->at(0).second : fields.error().message();
}

TEST(JsonReader, CallsForEachFieldInOrder) {
  EXPECT_THAT(*fields_of(R"({"a":1,"b":"two","c":null,"d":[1,[2]],"e":{"f":{}}})"),
              ElementsAre(Pair("a", "1"), Pair("b", R"("two")"), Pair("c", "null"), Pair("d", "["),
                          Pair("e", "{")));
  EXPECT_THAT(*fields_of("{}"), ElementsAre());
}

TEST(JsonReader, PassesSpacesBetweenTokens) {
  EXPECT_THAT(*fields_of(" \n{ \"a\" :\t1 ,\r\n\"b\" : [ ] } \n"),
              ElementsAre(Pair("a", "1"), Pair("b", "[")));
}

TEST(JsonReader, GivesTheTextOfAValueBeforeAndAfterItIsRead) {
  const std::string text = R"([ {"a" : [1, "]"]} ,[ ], "x\"" ,-1 ])";
  std::vector<std::string> unread;
  std::vector<std::string> read;
  ASSERT_TRUE(json::read_json(as_bytes(text), "document", [&](json::Root root) {
    root.each_element([&](json::Value value) { unread.emplace_back(value.text()); });
  }));
  ASSERT_TRUE(json::read_json(as_bytes(text), "document", [&](json::Root root) {
    root.each_element([&](json::Value value) {
      if (value.token() == "{") value.each_field([](std::string_view, const json::Value&) {});
      read.emplace_back(value.text());
    });
  }));
  EXPECT_THAT(unread, ElementsAre(R"({"a" : [1, "]"]})", "[ ]", R"("x\"")", "-1"));
  EXPECT_EQ(read, unread);
}

TEST(JsonReader, LeavesOutWhatNobodyReads) {
  const auto fields =
      fields_of(R"({"a":{"x":["}",{"y":"\"]"}]},"b":[[],[[]],{}],"c":"read"})", "c");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->back(), std::pair(std::string("c"), std::string("read")));
}

TEST(JsonReader, ReadsWhatIsInsideOfValues) {
  std::vector<std::uint64_t> numbers;
  const std::string text = R"([{"n":[1,2]},{"n":[]},{"n":null},{"n":[18446744073709551615]}])";
  ASSERT_TRUE(json::read_json(as_bytes(text), "document", [&](json::Root root) {
    ASSERT_TRUE(root.is_array());
    root.each_element([&](json::Value element) {
      element.each_field([&](std::string_view, json::Value list) {
        list.each_element([&](const json::Value& n) { numbers.push_back(n.to_u64()); });
      });
    });
  }));
  EXPECT_THAT(numbers, ElementsAre(1, 2, 18446744073709551615U));
}

TEST(JsonReader, ResolvesEscapesInNamesAndTexts) {
  EXPECT_THAT(*fields_of(R"({"\u0061\"b":1})"), ElementsAre(Pair("a\"b", "1")));
  EXPECT_EQ(text_of(R"("\"\\\/\b\f\n\r\t\u00e9")"), "\"\\/\b\f\n\r\t\u00e9");
  EXPECT_EQ(text_of(R"("\ud83d\ude00")"), "\U0001f600");
  EXPECT_EQ(text_of(R"("\ud83d!")"), "\ufffd!") << "half a surrogate pair";
}

// A string is searched eight bytes at a time: each kind of byte at each place among them.
TEST(JsonReader, FindsTheEndOfAStringWhereverItIs) {
  for (std::size_t length = 0; length < 40; ++length) {
    SCOPED_TRACE(length);
    const std::string plain(length, 'x');
    EXPECT_EQ(text_of('"' + plain + '"'), plain);
    EXPECT_EQ(text_of(fmt::format(R"("{0}\"{0}")", plain)), fmt::format(R"({0}"{0})", plain));
    EXPECT_EQ(text_of(fmt::format("\"{0}\u00e9{0}\"", plain)), fmt::format("{0}\u00e9{0}", plain));
    EXPECT_THAT(text_of('"' + plain + "\n\""), HasSubstr("control character"));
    EXPECT_THAT(text_of('"' + plain + "\xff\""), HasSubstr("not UTF-8"));
    EXPECT_THAT(why_refused(R"({"a":")" + plain), HasSubstr("a string has no end"));
    EXPECT_THAT(why_refused(R"({"a":")" + plain + '\\'), HasSubstr("a string has no end"));
  }
  for (int c = 0x20; c < 0x80; ++c) {
    if (c == '"' || c == '\\') continue;
    const std::string text(9, static_cast<char>(c));
    EXPECT_EQ(text_of('"' + text + '"'), text);
  }
}

TEST(JsonReader, RefusesWhatIsNotUtf8) {
  for (const char* bytes : {"\x80", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_THAT(why_refused(field('"' + std::string(bytes) + '"')), HasSubstr("not UTF-8"));
  }
}

TEST(JsonReader, SaysWhyItRefusesADocument) {
  const std::vector<std::pair<const char*, const char*>> refused = {
      {"", "not an object"},
      {"null", "not an object"},
      {"[]", "not an object"},
      {"{", "a field has no name"},
      {"{1:2}", "a field has no name"},
      {R"({"a"})", "a field has no value"},
      {R"({"a":})", "a value is missing"},
      {R"({"a":)", "a value is missing"},
      {R"({"a":1)", "an object has no end"},
      {R"({"a":1 2})", "an object has no end"},
      {R"({"a":1,})", "a field has no name"},
      {R"({"a":'1'})", "neither quoted nor a number"},
      {R"({"a":[1})", "brackets that do not match"},
      {R"({"a":{]})", "brackets that do not match"},
      {R"({"a":[[1])", "a bracket is not closed"},
      {R"({"a":1}})", "something follows the end"},
      {R"({"a":1},)", "something follows the end"},
  };
  for (const auto& [text, why] : refused) {
    SCOPED_TRACE(text);
    EXPECT_THAT(why_refused(text), HasSubstr(std::string("document: ")));
    EXPECT_THAT(why_refused(text), HasSubstr(why));
  }
  EXPECT_THAT(why_refused(std::string("{\"a\":\0}", 7)), HasSubstr("neither quoted"));
}

TEST(JsonReader, FollowsBracketsHoweverDeepTheyLie) {
  const std::string open(1 << 20, '[');
  EXPECT_EQ(why_refused(field(open + std::string(open.size(), ']'))), "it was read");
  EXPECT_THAT(why_refused(field(open + std::string(open.size() - 1, ']'))),
              HasSubstr("brackets that do not match"));
}

TEST(JsonReader, GoesOnBehindAValueThatIsNotWhatItWasAskedFor) {
  std::vector<std::string> read;
  const std::string text =
      R"([{"n":[1,"x",[2]],"m":5},{"n":"y"},{"n":[{"k":-1,"l":[3]},4]},{"n":[6]}])";
  ASSERT_TRUE(json::read_json(as_bytes(text), "document", [&](json::Root root) {
    root.each_element([&](json::Value element) {
      element.each_field([&](std::string_view key, json::Value value) {
        try {
          if (key == "m") return read.push_back(std::to_string(value.to_u64()));
          value.each_element([&](json::Value n) {
            if (n.token() != "{") return read.push_back(std::to_string(n.to_u64()));
            n.each_field([&](std::string_view, const json::Value& k) { k.to_u64(); });
          });
        } catch (const json::BadValue& bad) {
          read.emplace_back(bad.what());
        }
      });
    });
  }));
  EXPECT_THAT(read, ElementsAre("1", "not an unsigned 64-bit integer", "5", "not an array",
                                "not an unsigned 64-bit integer", "6"));
}

TEST(JsonReader, TakesNumbersForUnsignedIntegersOf64Bits) {
  const auto number = [](const std::string& text) -> Result<std::uint64_t> {
    std::uint64_t read = 0;
    const Status status = json::read_json(as_bytes(field(text)), "document", [&](json::Root root) {
      root.each_field([&](std::string_view, const json::Value& value) { read = value.to_u64(); });
    });
    if (!status) return status.error();
    return read;
  };
  EXPECT_EQ(*number("0"), 0U);
  EXPECT_EQ(*number("null"), 0U);
  EXPECT_EQ(*number("18446744073709551615"), 18446744073709551615U);
  for (const char* text : {"18446744073709551616", "-1", "1.5", "1e3", "01", "true", R"("1")"}) {
    EXPECT_FALSE(number(text)) << text;
  }
}

}  // namespace
}  // namespace restree
