#include "repo/storage/ssh/ssh_offer.h"

#include <algorithm>
#include <string_view>

#include "repo/storage/channel/packet.h"

namespace restree {

namespace {

constexpr std::byte kKexInit{20};
constexpr std::size_t kCookieBytes = 16;

}  // namespace

std::optional<SshOffer> parse_ssh_offer(ByteView greeting) {
  SshOffer offer;
  // Lines before the one that begins with SSH- are for people.
  while (!offer.software.starts_with("SSH-")) {
    const auto end = std::find(greeting.begin(), greeting.end(), std::byte{'\n'});
    if (end == greeting.end()) return std::nullopt;
    const auto length = static_cast<std::size_t>(end - greeting.begin());
    offer.software = as_text(greeting.first(length));
    if (offer.software.ends_with('\r')) offer.software.pop_back();
    greeting = greeting.subspan(length + 1);
  }
  // length:u32 padding:byte type:byte cookie:byte[16] lists…
  if (greeting.size() < 6 + kCookieBytes || greeting[5] != kKexInit) return std::nullopt;
  PacketReader lists(greeting.subspan(6 + kCookieBytes));
  offer.key_exchanges = lists.string();
  offer.host_keys = lists.string();
  offer.ciphers = lists.string();
  if (!lists.ok()) return std::nullopt;
  return offer;
}

bool lists_meet(std::string_view ours, std::string_view theirs) {
  while (!ours.empty()) {
    const auto name = ours.substr(0, ours.find(','));
    ours.remove_prefix(std::min(name.size() + 1, ours.size()));
    for (auto rest = theirs; !rest.empty();) {
      const auto other = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(other.size() + 1, rest.size()));
      if (name == other) return true;
    }
  }
  return false;
}

}  // namespace restree
