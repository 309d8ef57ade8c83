#include "fs/report/problems.h"

#include <string_view>
#include <utility>

#include "repo/text/json_writer.h"
#include "repo/text/timestamp.h"

namespace restree {
namespace {

std::string in_utc(Problems::Time time) {
  return format_timestamp({std::chrono::system_clock::to_time_t(time), 0});
}

void add_text(JsonWriter& json, std::string_view key, const std::string& text) {
  if (!text.empty()) json.key(key).text(text);
}

}  // namespace

Problems::Problems(std::function<Time()> now) : now_(std::move(now)) {}

void Problems::note(std::map<Problem, Meetings>& in, Problem problem,
                    const Meetings* before) const {
  const Time now = now_();
  Meetings& meetings =
      in.try_emplace(std::move(problem), before != nullptr ? *before : Meetings{now, now, 0})
          .first->second;
  meetings.last = now;
  ++meetings.times;
}

void Problems::met(Problem problem) {
  auto state = state_.lock();
  if (state->met.size() >= kMost && !state->met.contains(problem)) {
    ++state->uncounted;
    return;
  }
  note(state->met, std::move(problem), nullptr);
}

void Problems::set_files(std::vector<Problem> files) {
  std::map<Problem, Meetings> now;
  auto state = state_.lock();
  for (Problem& problem : files) {
    const auto before = state->files.find(problem);
    note(now, std::move(problem), before == state->files.end() ? nullptr : &before->second);
  }
  state->files = std::move(now);
}

std::uint64_t Problems::count() const {
  auto state = state_.lock();
  return state->met.size() + state->files.size() + state->uncounted;
}

std::string Problems::as_json_lines() const {
  const State state = *state_.lock();
  std::map<std::string, std::uint64_t> apps;
  for (const auto& [problem, meetings] : state.met) ++apps[problem.app];
  JsonWriter summary;
  summary.begin_object().key("message_type").text("summary");
  summary.key("problems").number(state.met.size() + state.files.size() + state.uncounted);
  summary.key("files").number(state.files.size());
  if (state.uncounted > 0) summary.key("not_listed").number(state.uncounted);
  summary.key("apps").begin_object();
  for (const auto& [app, count] : apps) summary.key(app).number(count);
  summary.end_object().end_object();
  std::string lines = std::move(summary).take() + "\n";
  for (const auto* const problems : {&state.files, &state.met}) {
    for (const auto& [problem, meetings] : *problems) {
      JsonWriter json;
      json.begin_object().key("message_type").text("problem");
      add_text(json, "app", problem.app);
      add_text(json, "snapshot", problem.snapshot);
      add_text(json, "path", problem.path);
      add_text(json, "problem", problem.what);
      add_text(json, "first", in_utc(meetings.first));
      add_text(json, "last", in_utc(meetings.last));
      if (!problem.app.empty()) json.key("times").number(meetings.times);
      json.end_object();
      lines += std::move(json).take() + "\n";
    }
  }
  return lines;
}

}  // namespace restree
