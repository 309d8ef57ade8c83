// Parses one node of a tree's JSON. Trees are made of these by the parser in tree.cc.
//
// Ownership: the text, the content ids and the extended attributes of all drafts lie in the parser,
//            in arrays that grow; a draft's own views hold as long as the parser does.
// Threads:   one at a time.
// Format:    restic's node, with the fields of every version since 0.1.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/tree.h"
#include "repo/text/json_reader.h"

namespace restree {

// A node whose content and attributes are places in the arrays of its NodeParser.
struct NodeDraft {
  Node node{};
  std::size_t content_begin = 0;
  std::size_t content_count = 0;
  std::size_t xattrs_begin = 0;
  std::size_t xattrs_count = 0;
};

struct ParsedNode {
  NodeDraft draft;
  // Why the node cannot be shown ("has the unknown type …"); empty: it can.
  std::string objection;
  bool is_of_unknown_type = false;
  // Fields that could not be read and that the node does without, with commas between them.
  std::string unreadable_fields;
  // The tree of a directory that is called "/" or ".", which also has an objection.
  std::optional<BlobId> stand_in;
};

class NodeParser {
 public:
  // For a tree of so many bytes of JSON: text() never moves until as many have been parsed.
  explicit NodeParser(std::size_t json_bytes);

  ParsedNode parse(json::Value value);
  // Begins anew: all drafts become invalid, but not their text.
  void forget_nodes();

  const std::string& text() const { return text_; }
  const std::vector<BlobId>& content() const { return content_; }
  const std::vector<ExtendedAttribute>& xattrs() const { return xattrs_; }

 private:
  // What is known of the node only once all its fields have been read.
  struct Pending {
    std::optional<NodeType> type;
    std::string_view type_name;
    bool name_unreadable = false;
    bool link_target_unreadable = false;
    bool device_unreadable = false;
    std::string_view link_target_raw;
  };

  // Owners repeat from node to node: the last one's text is stored once.
  struct RepeatedText {
    std::string_view token;
    std::string_view text;
    std::string_view get(NodeParser& parser, const json::Value& value) {
      if (token != value.token()) {
        text = parser.store_text(value);
        token = value.token();
      }
      return text;
    }
  };

  void set_field(std::size_t field, json::Value& value, NodeDraft& draft, Pending& pending);
  // For a field whose value cannot be read.
  void do_without(std::size_t field, NodeDraft& draft, Pending& pending);
  void set_name(const json::Value& value, Node& node, Pending& pending);
  void parse_content(json::Value& value, NodeDraft& draft);
  void parse_xattrs(json::Value& value, NodeDraft& draft);
  void finish(ParsedNode& parsed, const Pending& pending);
  // One id that no blob has: damage when the file is read, and not an empty file.
  void set_unknown_content(NodeDraft& draft);

  std::string_view store_text(const json::Value& value);
  std::string_view store_bytes(std::string_view bytes);
  Timestamp time_of(const json::Value& value);

  std::string text_;
  std::vector<BlobId> content_;
  std::vector<ExtendedAttribute> xattrs_;
  std::string unescaped_;
  RepeatedText user_;
  RepeatedText group_;
  // atime is a copy of mtime, as a rule.
  std::string_view last_time_token_;
  Timestamp last_time_;
};

}  // namespace restree
