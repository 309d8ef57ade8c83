#include "repo/archiver/link_watch.h"

#include <cstring>

namespace restree {
namespace {

std::uint64_t mark_of(const LinkIdentity& identity) {
  std::uint64_t mark = 0;
  std::memcpy(&mark, identity.content.data(), sizeof(mark));
  return mark + identity.size * 8 + static_cast<std::uint64_t>(identity.type);
}

}  // namespace

std::size_t LinkWatch::NumberHash::operator()(const Number& number) const {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  return static_cast<std::size_t>((number.first * kOdd + number.second) * kOdd);
}

bool LinkWatch::agrees(const LinkIdentity& identity) {
  const Number number{identity.device, identity.inode};
  const Mark mark = mark_of(identity);
  auto marks = marks_.lock();
  const auto known = marks->find(number);
  if (known != marks->end()) return known->second == mark;
  if (marks->size() < kMostNumbers) marks->emplace(number, mark);
  return true;
}

}  // namespace restree
