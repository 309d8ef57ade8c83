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
// What is under way as a sample begins or ends is counted in one of two samples, as a whole. So a
// sample is so much longer than the requests in it that this does not matter.
constexpr int kSampleInRequests = 4;
// Less than this says more about chance than about the line.
constexpr auto kLeastTransfer = 5ms;
constexpr std::uint64_t kLeastSampleBytes = 128 << 10;
// A rate that is so much better than all before is still being found out.
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
  // With its transfer, and with the wait behind others: the shortest of many has little of either.
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

// The line carried this much in this time, so it can do so: readers may have asked for less than it
// can do, never for more. Hence the best sample counts.
void LineEstimate::end_sample(Time now) {
  if (sample_bytes_ >= kLeastSampleBytes) {
    const Duration time = now - sample_begun_;
    // The round trip is known only roughly where all requests are large: what is left of the time
    // without it must not vanish.
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
