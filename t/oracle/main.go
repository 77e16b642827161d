// Command oracle renders templates the way Dispatcher must: Go's text/template with Sprig's text functions over *template.Environment.
// It reads JSON Lines on stdin and writes them back with "out" or "err" added. See README.md.
//
// Each case runs in a worker process, so that a case which hangs, overflows the stack or eats the memory costs one case, not the run.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	gotemplate "text/template"
	"time"
	_ "time/tzdata" // the zones must not depend on the machine
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"

	"dispatcher/oracle/template"
)

const (
	workerFlag    = "-worker"
	workerMemory  = 4 << 30 // address space of a worker
	maxOutput     = 1 << 20
	defaultField  = "string"
	defaultBudget = 2 * time.Second
)

// A request is what a case says; a result is what became of it. Exactly one of the three fields of a result counts:
// Skip if it is not empty, else Err if IsErr, else Out.
type request struct {
	Name, Payload, Template string
	Field                   string // Go type of the templated field; it names the template
}

type result struct {
	Out, Err []byte // bytes, because templates can produce invalid UTF-8
	IsErr    bool
	Skip     string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("oracle: ")
	if len(os.Args) == 2 && os.Args[1] == workerFlag {
		work(os.Stdin, os.Stdout)
		return
	}
	runs := flag.Int("runs", 2, "render each case so often; results that differ become \"skip\"")
	budget := flag.Duration("timeout", defaultBudget, "time for one rendering")
	rounds := flag.Int("bench", 0, "print GROUP NANOSECONDS per rendering, parse included, the best of five runs of so many")
	flag.Parse()
	if *rounds > 0 {
		bench(*rounds)
		return
	}

	var pair [2]worker // two processes: what depends on addresses differs between them
	for i := range pair {
		pair[i].budget = *budget
		defer pair[i].stop()
	}
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for n := 1; ; n++ {
		var line json.RawMessage
		if err := in.Decode(&line); err == io.EOF {
			return
		} else if err != nil {
			log.Fatalf("case %d: %v", n, err)
		}
		req := request{Field: defaultField}
		if err := json.Unmarshal(line, &req); err != nil {
			log.Fatalf("case %d: %v", n, err)
		}
		answered, err := answer(line, settle(&pair, req, *runs))
		if err != nil {
			log.Fatalf("case %d: %v", n, err)
		}
		out.Write(answered)
	}
}

// answer returns the case with its members in their old order, less an old answer, plus the new one.
func answer(line json.RawMessage, r result) ([]byte, error) {
	var b bytes.Buffer
	put := func(key string, value any) {
		b.WriteString(map[bool]string{true: "{", false: ", "}[b.Len() == 0])
		b.Write(encode(key))
		b.WriteString(": ")
		b.Write(encode(value))
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.Token() // {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		switch key {
		case "out", "out_b64", "err", "err_b64", "skip":
		default:
			put(key.(string), value)
		}
	}
	text := func(key string, value []byte) {
		if utf8.Valid(value) {
			put(key, string(value))
		} else {
			put(key+"_b64", value)
		}
	}
	switch {
	case r.Skip != "":
		put("skip", r.Skip)
	case r.IsErr:
		text("err", r.Err)
	default:
		text("out", r.Out)
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		log.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// A worker is a child process of this program that renders one request at a time. It is started when needed.
type worker struct {
	budget time.Duration
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr *bytes.Buffer
}

// settle renders req several times and refuses to answer if the results differ.
func settle(pair *[2]worker, req request, runs int) result {
	first := pair[0].render(req)
	for i := 1; i < runs && first.Skip == ""; i++ {
		next := pair[i%2].render(req)
		if next.Skip != "" {
			return next
		}
		if first.IsErr != next.IsErr || !bytes.Equal(first.Out, next.Out) || !bytes.Equal(first.Err, next.Err) {
			return result{Skip: "differs from run to run"}
		}
	}
	return first
}

func (w *worker) render(req request) result {
	if w.cmd == nil {
		w.start()
	}
	done := make(chan error, 1)
	var r result
	go func() {
		if err := json.NewEncoder(w.in).Encode(req); err != nil {
			done <- err
			return
		}
		done <- w.out.Decode(&r)
	}()
	select {
	case err := <-done:
		if err == nil {
			return r
		}
		w.stop()
		return result{Skip: "crash: " + reason(w.stderr.String())}
	case <-time.After(w.budget):
		w.cmd.Process.Kill()
		<-done
		w.stop()
		return result{Skip: fmt.Sprintf("over %v", w.budget)}
	}
}

// reason finds the line of a Go crash report that says why.
func reason(report string) string {
	if line := regexp.MustCompile(`(?m)^(fatal error|panic): .*$`).FindString(report); line != "" {
		return line
	}
	return "no reason given"
}

func (w *worker) start() {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	w.stderr = new(bytes.Buffer)
	w.cmd = exec.Command(self, workerFlag)
	w.cmd.Env = []string{"TZ=UTC"} // and nothing else: env and expandenv see an empty environment
	w.cmd.Stderr = w.stderr
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		log.Fatal(err)
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	w.out = json.NewDecoder(bufio.NewReader(stdout))
	if err := w.cmd.Start(); err != nil {
		log.Fatal(err)
	}
}

func (w *worker) stop() {
	if w.cmd == nil {
		return
	}
	w.in.Close()
	w.cmd.Process.Kill()
	w.cmd.Wait()
	w.cmd = nil
}

// work is the life of a worker process.
func work(in io.Reader, out io.Writer) {
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: workerMemory, Max: workerMemory}); err != nil {
		log.Fatal(err)
	}
	d, e := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var req request
		if d.Decode(&req) != nil || e.Encode(render(req)) != nil {
			return
		}
	}
}

// render is the contract: one field, one template, named after the field's Go type, with default options.
func render(req request) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{Skip: fmt.Sprintf("crash: panic: %v", p)}
		}
	}()
	tpl, err := gotemplate.New(req.Field).Funcs(sprig.TxtFuncMap()).Parse(req.Template)
	if err != nil {
		return result{IsErr: true, Err: []byte(err.Error())}
	}
	var b capped
	err = tpl.Execute(&b, &template.Environment{Name: req.Name, Payload: req.Payload})
	switch {
	case errors.Is(err, errFull):
		return result{Skip: errFull.Error()}
	case err != nil:
		return result{IsErr: true, Err: []byte(err.Error())}
	}
	return result{Out: []byte(b.String())}
}

// capped is a strings.Builder that refuses to grow over maxOutput.
type capped struct{ strings.Builder }

var errFull = fmt.Errorf("output over %d bytes", maxOutput)

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > maxOutput {
		return 0, errFull
	}
	return c.Builder.Write(p)
}

// bench renders each case of stdin in this process and says how long one rendering takes.
func bench(rounds int) {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var c struct{ Group, Name, Payload, Template string }
		if err := in.Decode(&c); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		req := request{Name: c.Name, Payload: c.Payload, Template: c.Template, Field: defaultField}
		var best time.Duration
		for run := 0; run < 5; run++ {
			start := time.Now()
			for i := 0; i < rounds; i++ {
				if r := render(req); r.IsErr {
					log.Fatalf("%s: %s", c.Group, r.Err)
				}
			}
			if took := time.Since(start); run == 0 || took < best {
				best = took
			}
		}
		fmt.Printf("%s %.0f\n", c.Group, float64(best.Nanoseconds())/float64(rounds))
	}
}
