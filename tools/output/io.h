// Where a command prints its output, its messages, and the status line that shows its progress.
#pragma once

#include <atomic>
#include <cerrno>
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

  // To standard output: as it is into a file or a pipe; on a terminal without what would drive it.
  virtual void out(std::string_view text) = 0;
  // To standard output, as it is: content that was asked for.
  virtual void bytes(std::string_view content) = 0;
  // To standard error, as out().
  virtual void err(std::string_view text) = 0;
  void out_line(std::string_view line) { out(std::string(line) + "\n"); }
  void err_line(std::string_view line) { err(std::string(line) + "\n"); }

  // Whether standard output is a terminal.
  virtual bool is_terminal() const = 0;
  // Columns of the terminal.
  virtual std::size_t width() const = 0;
  // On a terminal, shows `line`, cut to its width, below all that was printed, and replaces the
  // previous status line; an empty `line` removes it. Elsewhere prints a `line` that is not empty.
  virtual void status(std::string_view line) = 0;

  // Writes the buffered output. kLocalIo: some of the output could not be written, now or before.
  virtual Status flush() = 0;
  // Whether the program that read the output has closed it.
  virtual bool reader_has_gone() const = 0;
  // From now on, output that cannot be written does not end the command, unless its reader has gone.
  virtual void go_on_without_output() = 0;
};

// The stdout and stderr of the process. Requests `stop` when the output cannot be written.
class ProcessIo final : public Io {
 public:
  explicit ProcessIo(std::stop_source stop);
  ~ProcessIo() override;

  void out(std::string_view text) override;
  void bytes(std::string_view content) override;
  void err(std::string_view text) override;
  bool is_terminal() const override { return is_terminal_; }
  std::size_t width() const override;
  void status(std::string_view line) override;
  Status flush() override;
  bool reader_has_gone() const override { return failure_ == EPIPE; }
  void go_on_without_output() override { needs_output_ = false; }

 private:
  void append_locked(std::string_view text) REQUIRES(mutex_);
  void flush_locked() REQUIRES(mutex_);
  void hide_status() REQUIRES(mutex_);
  void show_status() REQUIRES(mutex_);

  std::stop_source stop_;
  const bool is_terminal_;
  const bool errors_to_terminal_;
  Mutex mutex_;
  std::string pending_ GUARDED_BY(mutex_);  // output not written yet
  std::string status_ GUARDED_BY(mutex_);   // the status line that the terminal shows now
  std::atomic<int> failure_ = 0;            // errno of the first write that failed
  std::atomic<bool> needs_output_ = true;
};

}  // namespace restree
