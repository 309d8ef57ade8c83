#include "fs/kernel_attributes.h"

#include <fmt/core.h>

#include "repo/base/log.h"
#include "repo/format/node_name.h"

namespace restree {

std::optional<std::string> objection_to_attribute(const ExtendedAttribute& attribute) {
  // In the list that the kernel gets it would read as two names, neither of which exists.
  if (holds_zero_byte(attribute.name)) return "its name holds a zero byte";
  if (attribute.name.size() > kLongestAttributeName) {
    return fmt::format("its name has {} bytes, and Linux knows names of up to {}",
                       attribute.name.size(), kLongestAttributeName);
  }
  if (attribute.value.size() > kLongestAttributeValue) {
    return fmt::format("its value has {} bytes, and Linux returns up to {}", attribute.value.size(),
                       kLongestAttributeValue);
  }
  return std::nullopt;
}

AttributeList listed_attributes(std::span<const ExtendedAttribute> attributes) {
  AttributeList list;
  std::size_t bytes = 0;
  for (const ExtendedAttribute& attribute : attributes) {
    std::optional<std::string> objection = objection_to_attribute(attribute);
    if (!objection && bytes + attribute.name.size() + 1 > kLongestAttributeList) {
      objection = fmt::format("Linux lists up to {} bytes of names", kLongestAttributeList);
    }
    if (!objection) {
      bytes += attribute.name.size() + 1;
      list.names.emplace_back(attribute.name);
    } else if (list.left_out.empty()) {
      list.left_out =
          fmt::format("the extended attribute {} is not listed: {}",
                      log::quoted(attribute.name.substr(0, kLongestAttributeName)), *objection);
    }
  }
  return list;
}

}  // namespace restree
