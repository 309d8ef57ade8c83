// Where a command prints its output, its messages, and the status line that shows its progress.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>

#include "repo/base/guarded.h"
#include "repo/base/result.h"

namespace restree {

// Threads: any; the text of one call stays together.
class Io {
 public:
  virtual ~Io() = default;

  // To standard output, as it is.
  virtual void out(std::string_view text) = 0;
  // To standard error, as it is.
  virtual void err(std::string_view text) = 0;
  void out_line(std::string_view line) { out(std::string(line) + "\n"); }
  void err_line(std::string_view line) { err(std::string(line) + "\n"); }

  // Whether standard output is a terminal.
  virtual bool is_terminal() const = 0;
  // Columns of the terminal.
  virtual std::size_t width() const = 0;
  // Shows `line`, cut to the terminal's width, below all that was printed, and replaces the
  // previous status line; an empty `line` removes it. Does nothing if there is no terminal.
  virtual void status(std::string_view line) = 0;

  // Writes the buffered output. kLocalIo: some of the output could not be written, now or before.
  virtual Status flush() = 0;
};

// The stdout and stderr of the process. Requests `stop` when the reader of the output has closed
// it.
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
  void flush_locked() REQUIRES(mutex_);
  void hide_status() REQUIRES(mutex_);
  void show_status() REQUIRES(mutex_);

  std::stop_source stop_;
  const bool is_terminal_;
  Mutex mutex_;
  std::string pending_ GUARDED_BY(mutex_);  // output not written yet
  std::string status_ GUARDED_BY(mutex_);   // the status line that the terminal shows now
  int failure_ GUARDED_BY(mutex_) = 0;      // errno of the first write that failed
};

}  // namespace restree
