// The soak as a test: a fixed amount of work, or as many minutes as are asked for.
#include "tests/soak/soak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "tests/soak/settings.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

using std::chrono::steady_clock;

constexpr unsigned kRounds = 4;
constexpr unsigned kRoundsBetweenLongFaults = 3;

// All of the short faults in an order of the round's own, and now and then a long one.
RoundPlan plan_of(unsigned round, SplitMix64& random) {
  RoundPlan plan{.faults = short_faults(), .readings = scaled(300, 60)};
  for (std::size_t i = plan.faults.size(); i > 1; --i) {
    std::swap(plan.faults[i - 1], plan.faults[random() % i]);
  }
  if (round % kRoundsBetweenLongFaults == 1) {
    plan.faults.push_back(random() % 2 == 0 ? Fault::kLongSilence : Fault::kLongAbsence);
  }
  return plan;
}

TEST(Soak, NoByteIsWrongAndNothingGrows) {
  const SoakSettings settings = soak_settings();
  std::cout << "the schedule is that of RESTREE_SOAK_SEED=" << settings.seed << std::endl;
  SplitMix64 random(settings.seed + 2);
  const auto every = settings.time ? *settings.time / 240 : std::chrono::seconds(1);
  Soak soak(settings.seed, settings.curve, std::max(every, std::chrono::seconds(1)));
  const auto begin = steady_clock::now();
  const auto rounds = static_cast<unsigned>(scaled(kRounds, 2));
  // By what has been done, or by the clock if that is what was asked for.
  const auto share_done = [&](unsigned round) {
    if (!settings.time) return static_cast<double>(round) / rounds;
    return std::chrono::duration<double>(steady_clock::now() - begin) / *settings.time;
  };
  for (unsigned round = 0; share_done(round) < 1 && soak.findings().empty(); ++round) {
    RoundPlan plan = plan_of(round, random);
    plan.second_half = share_done(round) >= 0.5;
    soak.round(plan);
    std::cout << "round " << round << ", "
              << std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - begin)
              << ": " << soak.summary() << std::endl;
  }
  soak.finish();
  for (const std::string& finding : soak.findings()) ADD_FAILURE() << finding;
}

}  // namespace
}  // namespace restree::testing
