// The program around LineEmulator, for bench/compare-line and for trying things by hand.
#include "tests/support/line_emulator.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

namespace restree::testing {
namespace {

constexpr std::string_view kUsage =
    R"(usage: line_emulator --to PORT [--port PORT] [--rtt MS] [--rate MBIT] [--up-rate MBIT]
                     [--window BYTES]

Forwards connections from a port of the loopback (a free one unless --port names it; its number is the
first line of output) to another, with half of --rtt in each direction and --rate in each direction
for all connections together, or --up-rate towards PORT. Without them there is no delay and no limit.

Reads commands, one a line, and answers each with a line; ends with its input:
  counts          up BYTES down BYTES connections NUMBER open NUMBER
  cut             resets all connections
  stall SECONDS   nothing moves for so long
  refuse          new connections are refused
  go-on           ends a stall and a refusal
)";

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// False: there is no such option, or its value is none.
bool set_option(std::string_view name, std::string_view value, LineOptions& options) {
  if (name == "--to" || name == "--port") {
    const auto port = number<std::uint16_t>(value);
    (name == "--to" ? options.to : options.port) = port.value_or(0);
    return port.value_or(0) != 0;
  }
  if (name == "--window") {
    options.window = number<std::size_t>(value).value_or(0);
    return options.window != 0;
  }
  const auto amount = number<double>(value);
  if (name == "--rtt" && amount) {
    options.rtt = std::chrono::nanoseconds(static_cast<std::int64_t>(*amount * 1e6));
  } else if (name == "--rate" && amount) {
    options.bytes_per_second = static_cast<std::uint64_t>(*amount * 1e6 / 8);
  } else if (name == "--up-rate" && amount) {
    options.up_bytes_per_second = static_cast<std::uint64_t>(*amount * 1e6 / 8);
  } else {
    return false;
  }
  return true;
}

std::string answer(LineEmulator& line, const std::string& command) {
  constexpr std::string_view kStall = "stall ";
  if (command == "counts") {
    const LineCounts counts = line.counts();
    return "up " + std::to_string(counts.up_bytes) + " down " + std::to_string(counts.down_bytes) +
           " connections " + std::to_string(counts.connections) + " open " +
           std::to_string(counts.open);
  }
  if (command.starts_with(kStall)) {
    const auto seconds = number<double>(std::string_view(command).substr(kStall.size()));
    if (!seconds) return "error: stall for how many seconds?";
    line.stall(std::chrono::nanoseconds(static_cast<std::int64_t>(*seconds * 1e9)));
  } else if (command == "cut") {
    line.cut();
  } else if (command == "refuse") {
    line.refuse();
  } else if (command == "go-on") {
    line.go_on();
  } else {
    return "error: no such command: " + command;
  }
  return "ok";
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << kUsage;
    return 0;
  }
  LineOptions options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc || !set_option(argv[i], argv[i + 1], options)) {
      std::cerr << kUsage;
      return 2;
    }
  }
  if (options.to == 0) {
    std::cerr << kUsage;
    return 2;
  }
  LineEmulator line(options);
  std::cout << line.port() << std::endl;
  for (std::string command; std::getline(std::cin, command);) {
    std::cout << answer(line, command) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace restree::testing

int main(int argc, char** argv) {
  try {
    return restree::testing::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "line_emulator: %s\n", error.what());
    return 1;
  }
}
