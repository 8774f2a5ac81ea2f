package certs

import (
	"context"
	"log/slog"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// ownWords are messages whose matter this package tells in its own words, or
// that strangers can cause as often as they like.
var ownWords = []string{
	"will retry", "could not get certificate from issuer", "job failed", "validating authorization",
	"challenge failed", "tls-alpn challenge", "looking up info for HTTP challenge",
}

// left are fields that stay out of the log: who asked, and what the answer to
// an authority's question was.
var left = []string{
	"remote", "remote_ip", "remote_port", "remote_addr", "user_agent", "uri", "account_contact", "contact", "account",
	"headers", "key_auth", "token", "problem", "subproblems",
}

// core hands what the library logs on to slog.
type core struct {
	handler slog.Handler
}

func newZap(log *slog.Logger) *zap.Logger {
	return zap.New(core{log.Handler()}, zap.WithFatalHook(zapcore.WriteThenGoexit))
}

// levelOf makes the library quieter: what it does is of interest to whoever
// looks for a fault in it.
func levelOf(l zapcore.Level, message string) slog.Level {
	switch {
	case slices.Contains(ownWords, message):
		return slog.LevelDebug
	case l >= zapcore.ErrorLevel:
		return slog.LevelWarn
	case l == zapcore.WarnLevel:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

func (c core) Enabled(l zapcore.Level) bool {
	return c.handler.Enabled(context.Background(), levelOf(l, ""))
}

func (c core) With(fields []zapcore.Field) zapcore.Core {
	return core{c.handler.WithAttrs(attributes(fields))}
}

func (c core) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.handler.Enabled(context.Background(), levelOf(e.Level, e.Message)) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	record := slog.NewRecord(e.Time, levelOf(e.Level, e.Message), "certificates: "+e.Message, 0)
	record.AddAttrs(attributes(fields)...)
	return c.handler.Handle(context.Background(), record)
}

func (core) Sync() error { return nil }

func attributes(fields []zapcore.Field) []slog.Attr {
	var all []slog.Attr
	for _, f := range fields {
		if slices.Contains(left, f.Key) {
			continue
		}
		values := zapcore.NewMapObjectEncoder()
		f.AddTo(values)
		if v, ok := values.Fields[f.Key]; ok {
			all = append(all, slog.Any(f.Key, v))
		}
	}
	return all
}
