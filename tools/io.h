// What a command prints: its output, its messages, and the one line that says how far it is.
#pragma once

#include <cstddef>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "repo/base/result.h"

namespace restree {

// Threads: any; what is printed by one call stays together.
class Io {
 public:
  virtual ~Io() = default;

  // To standard output, as it is.
  virtual void out(std::string_view text) = 0;
  // To standard error, as it is.
  virtual void err(std::string_view text) = 0;
  void out_line(std::string_view line) { out(std::string(line) + "\n"); }
  void err_line(std::string_view line) { err(std::string(line) + "\n"); }

  // Standard output is a terminal.
  virtual bool is_terminal() const = 0;
  // Columns of the terminal.
  virtual std::size_t width() const = 0;
  // Shows `line` below all that was printed, in place of the status line before it; empty: none.
  // Nothing happens where there is no terminal. The line is cut to the terminal's width.
  virtual void status(std::string_view line) = 0;

  // Hands on what is still in memory. kLocalIo: some of the output could not be written.
  virtual Status flush() = 0;
};

// The process's own stdout and stderr. When nobody reads the output any more, `stop` is requested.
class ProcessIo final : public Io {
 public:
  explicit ProcessIo(std::stop_source stop);
  ~ProcessIo() override;

  void out(std::string_view text) override;
  void err(std::string_view text) override;
  bool is_terminal() const override { return is_terminal_; }
  std::size_t width() const override;
  void status(std::string_view line) override;
  Status flush() override;

 private:
  void flush_locked();
  void hide_status();
  void show_status();

  std::stop_source stop_;
  const bool is_terminal_;
  std::mutex mutex_;
  std::string pending_;  // output that was not written yet
  std::string status_;   // what the terminal shows as its last line
  int failure_ = 0;      // errno of the first write that failed
};

}  // namespace restree
