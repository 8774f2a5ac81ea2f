package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Options is what Load reads besides files. Nothing is taken from the process
// itself, so tests need not change it.
type Options struct {
	Flags  *pflag.FlagSet      // only flags that were given count; may be nil
	Getenv func(string) string // may be nil
	Root   bool                // run by root: system-wide defaults
	// Formats are what --output takes besides table, json and csv.
	Formats []string
}

// extensions of configuration files, in the order they are looked for.
var extensions = []string{".toml", ".yaml", ".yml"}

// Load puts the settings together: flags beat the environment, which beats the
// file, which beats the defaults. Everything that is wrong is reported at once,
// as Invalid errors that name the flag.
func Load(opts Options) (*Config, error) {
	if opts.Getenv == nil {
		opts.Getenv = func(string) string { return "" }
	}
	v := viper.New()
	file, err := readFile(v, opts)
	if err != nil {
		return nil, err
	}
	if err := checkKeys(v, file); err != nil {
		return nil, err
	}
	sources, err := layer(v, opts)
	if err != nil {
		return nil, err
	}
	r := &reader{viper: v, sources: sources}
	c := r.config(opts)
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	c.File = file
	c.entries = r.entries(c)
	return c, nil
}

// readFile reads the configuration file into v and returns its path, or "" when
// there is none and none was asked for.
func readFile(v *viper.Viper, opts Options) (string, error) {
	path, err := configFile(opts)
	if err != nil || path == "" {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", unreadable("config", path, err)
	}
	extension := strings.ToLower(filepath.Ext(path))
	if !slices.Contains(extensions, extension) {
		return "", portal.Invalidf("config.format", "config", "%s is neither a .toml nor a .yaml file", path)
	}
	v.SetConfigType(strings.TrimPrefix(extension, "."))
	// Editors on some systems put a byte-order mark first.
	if err := v.ReadConfig(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))); err != nil {
		var parse viper.ConfigParseError
		if errors.As(err, &parse) {
			err = parse.Unwrap()
		}
		return "", &portal.Error{
			Kind: portal.Invalid, Code: "config.syntax", Field: "config",
			Msg: fmt.Sprintf("%s cannot be read: %v", path, err), Err: err,
		}
	}
	return path, nil
}

// configFile returns the file to read: the one named by --config or
// PORTALCTL_CONFIG, or the one in the usual place, which may be missing.
func configFile(opts Options) (string, error) {
	if f := changed(opts.Flags, "config"); f != nil {
		if f.Value.String() == "" {
			return "", portal.Invalidf("config.file", "config", "--config needs the name of a file")
		}
		return f.Value.String(), nil
	}
	if path := opts.Getenv("PORTALCTL_CONFIG"); path != "" {
		return path, nil
	}
	dir := configDir(opts)
	if dir == "" {
		return "", nil
	}
	var found []string
	for _, extension := range extensions {
		path := filepath.Join(dir, "config"+extension)
		_, err := os.Stat(path)
		if err == nil {
			found = append(found, path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", unreadable("config", path, err)
		}
	}
	if len(found) > 1 {
		return "", portal.Invalidf("config.several", "config", "there are two configuration files, %s and %s", found[0], found[1]).
			WithHint("keep one of them, or name one with --config")
	}
	return strings.Join(found, ""), nil
}

func configDir(opts Options) string {
	if opts.Root {
		return "/etc/portalctl"
	}
	return userDir(opts, "XDG_CONFIG_HOME", "APPDATA", ".config")
}

// defaultStore returns where the store is when nobody says, or "".
func defaultStore(opts Options) string {
	if opts.Root {
		return "/var/lib/portalctl/portal.db"
	}
	if dir := userDir(opts, "XDG_DATA_HOME", "LOCALAPPDATA", filepath.Join(".local", "share")); dir != "" {
		return filepath.Join(dir, "portal.db")
	}
	return ""
}

// userDir returns portalctl's folder in a base directory as the XDG rules say:
// a relative path in the variable is to be ignored.
func userDir(opts Options, xdg, windows, underHome string) string {
	if dir := opts.Getenv(xdg); filepath.IsAbs(dir) {
		return filepath.Join(dir, "portalctl")
	}
	if runtime.GOOS == "windows" {
		if dir := opts.Getenv(windows); dir != "" {
			return filepath.Join(dir, "portalctl")
		}
	}
	if home := opts.Getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, underHome, "portalctl")
	}
	return ""
}

// checkKeys refuses keys of the file that are no settings: a misspelt one would
// otherwise be ignored, and nobody would know why.
func checkKeys(v *viper.Viper, file string) error {
	var errs []error
	keys := v.AllKeys()
	slices.Sort(keys)
	for _, key := range keys {
		at := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key })
		if at >= 0 && !settings[at].noFlag {
			continue
		}
		err := portal.Invalidf("config.key", "config", "%s: %q is not a setting", file, key)
		switch near := nearest(key); {
		case at >= 0:
			err.Msg = fmt.Sprintf("%s: %q does not belong in the file", file, key)
			err.Hint = "put it in a file of its own and name that with " + key + "-file"
		case near != "":
			err.Hint = fmt.Sprintf("did you mean %q?", near)
		default:
			err.Hint = "portalctl config show lists the settings"
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// layer puts the environment and the flags over the file that v holds, and the
// defaults under it, and returns where each setting's value comes from.
func layer(v *viper.Viper, opts Options) (map[string]Source, error) {
	sources := map[string]Source{}
	for _, s := range settings {
		sources[s.Key] = FromDefault
		if v.InConfig(s.Key) && v.Get(s.Key) != nil {
			sources[s.Key] = FromFile
		}
		if s.Default != "" {
			v.SetDefault(s.Key, s.Default)
		}
		if value := opts.Getenv(s.Env()); value != "" {
			sources[s.Key] = FromEnv
			v.Set(s.Key, value)
		} else if s.alsoEnv != "" && isOn(opts.Getenv(s.alsoEnv)) && sources[s.Key] == FromDefault {
			sources[s.Key] = FromEnv
			v.Set(s.Key, "true")
		}
		if f := changed(opts.Flags, s.Key); f != nil {
			sources[s.Key] = FromFlag
			if err := setFlag(v, s, f); err != nil {
				return nil, err
			}
		}
	}
	return sources, nil
}

// isOn reads a variable that other programs honour: any value means yes, but
// for those that plainly say no.
func isOn(value string) bool {
	return !slices.Contains([]string{"", "0", "no", "off", "false"}, strings.ToLower(value))
}

func setFlag(v *viper.Viper, s Setting, f *pflag.Flag) error {
	if values, ok := f.Value.(pflag.SliceValue); ok {
		v.Set(s.Key, values.GetSlice())
		return nil
	}
	if f.Value.String() == "" && s.kind == text {
		return portal.Invalidf("config.empty", s.Key, "--%s needs a value", s.Key)
	}
	v.Set(s.Key, f.Value.String())
	return nil
}

// changed returns the flag if it exists and was given.
func changed(flags *pflag.FlagSet, name string) *pflag.Flag {
	if flags == nil {
		return nil
	}
	if f := flags.Lookup(name); f != nil && f.Changed {
		return f
	}
	return nil
}

// unreadable reports a file the operator named, or that lies where it is looked
// for, and cannot be read.
func unreadable(field, path string, err error) error {
	reason := "it cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		reason = "permission denied"
	}
	return &portal.Error{
		Kind: portal.Invalid, Code: "config.unreadable", Field: field,
		Msg: fmt.Sprintf("cannot read %s: %s", path, reason), Err: err,
	}
}
