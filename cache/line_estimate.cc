#include "cache/line_estimate.h"

#include <algorithm>

namespace restree {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kUnknownRoundTrip = 20ms;
constexpr double kUnknownRate = 32e6;
constexpr auto kStretch = 15s;
constexpr auto kSample = 100ms;
// A request under way when a sample ends is counted as a whole in one of the two samples. So a
// sample lasts this many times as long as its longest request, and that does not matter.
constexpr int kSampleInRequests = 4;
// Shorter or smaller samples say more about chance than about the line.
constexpr auto kLeastTransfer = 5ms;
constexpr std::uint64_t kLeastSampleBytes = 128 << 10;
// While a sample is better than the best before by this factor, the line's rate is still rising.
constexpr double kRise = 1.1;

}  // namespace

void LineEstimate::began(Time now) {
  if (flying_++ > 0) return;
  sample_begun_ = now;
  sample_bytes_ = 0;
  longest_in_sample_ = {};
  was_idle_ = true;
}

void LineEstimate::ended(Time begun, Time now, std::uint64_t bytes) {
  --flying_;
  if (bytes == 0) return;
  if (now - stretch_begun_ >= kStretch) begin_stretch(now);
  // This time includes the transfer and the wait behind other requests; the shortest of many such
  // times has little of either.
  now_.round_trip = std::min(now_.round_trip, now - begun);
  sample_bytes_ += bytes;
  longest_in_sample_ = std::max(longest_in_sample_, now - begun);
  const auto enough = std::max<Duration>(kSample, kSampleInRequests * longest_in_sample_);
  if (flying_ == 0 || now - sample_begun_ >= enough) end_sample(now);
}

void LineEstimate::begin_stretch(Time now) {
  before_ = now_;
  now_ = {};
  stretch_begun_ = now;
}

// A sample is a lower bound of the rate: readers may have asked for less than the line can carry.
// Hence the best sample counts.
void LineEstimate::end_sample(Time now) {
  if (sample_bytes_ >= kLeastSampleBytes) {
    const Duration time = now - sample_begun_;
    // If all requests are large, the round trip is known only roughly, and subtracting it must not
    // leave a transfer time near zero.
    const Duration transfer = std::max<Duration>(
        was_idle_ ? std::max(time - round_trip(), time / 4) : time, kLeastTransfer);
    const double rate = static_cast<double>(sample_bytes_) / Seconds(transfer).count();
    is_rising_ = rate > std::max(now_.rate, before_.rate) * kRise;
    now_.rate = std::max(now_.rate, rate);
  }
  sample_begun_ = now;
  sample_bytes_ = 0;
  longest_in_sample_ = {};
  was_idle_ = false;
}

LineEstimate::Duration LineEstimate::round_trip() const {
  return is_measured() ? round_trip_measured() : Duration(kUnknownRoundTrip);
}

double LineEstimate::bytes_per_second() const {
  const double rate = std::max(now_.rate, before_.rate);
  return rate > 0 ? rate : kUnknownRate;
}

std::size_t LineEstimate::delay_product() const {
  const double product = Seconds(round_trip()).count() * bytes_per_second();
  return static_cast<std::size_t>(
      std::clamp(product, static_cast<double>(kLeastProduct), static_cast<double>(kMostProduct)));
}

}  // namespace restree
