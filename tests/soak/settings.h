// What a soak is asked for in its environment; tests/run soak sets it.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>

namespace restree::testing {

struct SoakSettings {
  std::uint64_t seed = 1;
  std::optional<std::chrono::seconds> time = {};  // none: a fixed number of rounds
  std::filesystem::path curve = {};               // empty: not kept
};

// RESTREE_SOAK_SEED, RESTREE_SOAK_MINUTES, RESTREE_SOAK_CURVE.
inline SoakSettings soak_settings() {
  SoakSettings settings;
  // A test makes the same schedule each time; whoever has minutes looks for new ones.
  if (const char* minutes = std::getenv("RESTREE_SOAK_MINUTES")) {
    settings.time = std::chrono::seconds(60 * std::stol(minutes));
    settings.seed = std::random_device()();
  }
  if (const char* seed = std::getenv("RESTREE_SOAK_SEED")) settings.seed = std::stoull(seed);
  if (const char* curve = std::getenv("RESTREE_SOAK_CURVE")) settings.curve = curve;
  return settings;
}

}  // namespace restree::testing
