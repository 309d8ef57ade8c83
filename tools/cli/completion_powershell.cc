// Completions for PowerShell.
#include <fmt/core.h>
#include <fmt/format.h>

#include "tools/cli/completed_program.h"

namespace restree {
namespace {

using Kind = CompletedValue::Kind;

constexpr std::string_view kPowershellHead =
    R"(# PowerShell completion for @NAME@, made by: @NAME@ generate --powershell-completion FILE

Register-ArgumentCompleter -Native -CommandName '@NAME@' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The kind of a value: '' (there is none), text, path, or its words, with | between them.
)";

// Where nothing is offered, PowerShell completes the names of files.
constexpr std::string_view kPowershellTail = R"(
    $kindOf = {
        param($command, $name)
        foreach ($option in $options) {
            if ($option.Name -ceq $name -and ($option.Of -eq $command -or $option.Of -eq '')) {
                return $option.Kind
            }
        }
        return ''
    }
    $offerWords = {
        param($kind, $before, $begun)
        if ($kind -eq '' -or $kind -eq 'text' -or $kind -eq 'path') { return }
        foreach ($choice in ($kind -split '\|')) {
            if ($choice.StartsWith($begun)) {
                [System.Management.Automation.CompletionResult]::new(
                    $before + $choice, $choice, 'ParameterValue', $choice)
            }
        }
    }

    $command = ''
    $kind = ''
    $count = 0
    $isOver = $false
    $elements = $commandAst.CommandElements | Select-Object -Skip 1
    foreach ($element in $elements) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { continue }
        $part = $element.Extent.Text
        if ($kind -ne '') { $kind = '' }
        elseif (-not $isOver -and $part -ceq '--') { $isOver = $true }
        elseif (-not $isOver -and $part.StartsWith('--') -and $part.Contains('=')) { continue }
        elseif (-not $isOver -and $part.StartsWith('-')) { $kind = & $kindOf $command $part }
        elseif ($command -eq '') { $command = $part }
        else { $count++ }
    }

    if ($kind -ne '') {
        & $offerWords $kind '' $wordToComplete
    } elseif (-not $isOver -and $wordToComplete.StartsWith('--') -and $wordToComplete.Contains('=')) {
        $name, $begun = $wordToComplete -split '=', 2
        & $offerWords (& $kindOf $command $name) "$name=" $begun
    } elseif (-not $isOver -and $wordToComplete.StartsWith('-')) {
        foreach ($option in $options) {
            if ($option.Of -ne $command -and $option.Of -ne '') { continue }
            if (-not $option.Name.StartsWith($wordToComplete)) { continue }
            [System.Management.Automation.CompletionResult]::new(
                $option.Name, $option.Name, 'ParameterName', $option.Text)
        }
    } elseif ($command -eq '') {
        foreach ($one in $commands) {
            if (-not $one.Name.StartsWith($wordToComplete)) { continue }
            [System.Management.Automation.CompletionResult]::new(
                $one.Name, $one.Name, 'Command', $one.Text)
        }
    } else {
        foreach ($one in $commands) {
            if ($one.Name -ne $command -or $count -gt 0) { continue }
            & $offerWords $one.Argument '' $wordToComplete
        }
    }
}
)";

// PowerShell takes typographic quotes for plain ones.
std::string powershell_quoted(std::string_view text) {
  std::string out = "'";
  while (!text.empty()) {
    const bool is_curly = text.starts_with("\u2018") || text.starts_with("\u2019") ||
                          text.starts_with("\u201a") || text.starts_with("\u201b");
    const std::string_view one = text.substr(0, is_curly ? 3 : 1);
    if (is_curly || one == "'") out += one;
    out += one;
    text.remove_prefix(one.size());
  }
  return out + "'";
}

std::string kind_text(const CompletedValue& value) {
  switch (value.kind) {
    case Kind::kNone:
      return "";
    case Kind::kText:
      return "text";
    case Kind::kFile:
    case Kind::kFolder:
      return "path";
    case Kind::kChoice:
      return fmt::format("{}", fmt::join(value.choices, "|"));
  }
  return "";
}

// `command`: the options' command; empty: all.
void add_options_of(const std::string& command, const std::vector<CompletedOption>& options,
                    std::string& text) {
  for (const CompletedOption& option : options) {
    for (const std::string& name : option.names) {
      // A completion must have a text.
      const std::string& described = option.description.empty() ? name : option.description;
      text += fmt::format("        @{{ Of = {}; Name = {}; Kind = {}; Text = {} }}\n",
                          powershell_quoted(command), powershell_quoted(name),
                          powershell_quoted(kind_text(option.value)), powershell_quoted(described));
    }
  }
}

}  // namespace

std::string powershell_completion(const CompletedProgram& program) {
  std::string text = std::string(kPowershellHead) + "    $options = @(\n";
  add_options_of("", program.options, text);
  for (const CompletedCommand& command : program.commands) {
    add_options_of(command.name, command.options, text);
  }
  text += "    )\n    $commands = @(\n";
  for (const CompletedCommand& command : program.commands) {
    text += fmt::format(
        "        @{{ Name = {}; Argument = {}; Text = {} }}\n", powershell_quoted(command.name),
        powershell_quoted(kind_text(command.argument)), powershell_quoted(command.summary));
  }
  return with_name(text + "    )\n" + std::string(kPowershellTail), program);
}

}  // namespace restree
