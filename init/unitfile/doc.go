// Package unitfile reads the text format that systemd's configuration files
// share: units, .nspawn files and their drop-ins (systemd.syntax(7)).
//
// Role: the lexical stage of two data flows: settings files on their way to a
// container's Config, and unit files on their way to firn-init's plan.
//
// Input: a reader with one file's text, or a file system with main files and
// drop-in directories. Output: File, the assignments in the order of the text,
// each with its file and line. Values are raw: whether a value is a list, is
// quoted, holds C escapes or %-specifiers depends on the key, so the consumer
// calls ExtractWords, Unescape, ParseBool and the like itself, and expands
// specifiers on the result. Nothing here knows a section's or key's name.
//
// # Grammar
//
//	file      = [ BOM ] { line }
//	line      = text ( LF | CR LF | CR | end of file )
//	text      = blank | comment | header | assignment
//	comment   = ws ( "#" | ";" ) anything
//	header    = ws "[" name "]" ws
//	assignment= ws key ws "=" ws value ws
//	ws        = { " " | TAB }
//
// A line that ends in an odd number of backslashes goes on in the next line:
// the last backslash becomes one space, and the next line is appended with its
// leading blanks. Comment lines in between are skipped; an empty line is not,
// and so ends the assignment. A trailing blank after the backslash defeats it.
//
// As systemd does: a byte order mark is allowed at the very beginning, CR alone
// ends a line as LF does, and a line may be 1 MiB long, continuations included.
// Unlike systemd, which takes NUL for a line end, a NUL byte is an error: it is
// never what the author meant.
//
// A text that systemd refuses (bad section header, not UTF-8, line too long) is
// an error here. A line that systemd skips with a warning (an assignment before
// the first section, a line without "=", an empty key) becomes a Warning, and
// the consumer decides how strict it is.
//
// # Lists
//
// For a key that holds a list, an empty value means that earlier assignments do
// not count. File.Values applies that rule; other keys use File.Last.
package unitfile
