import { describe, expect, it } from 'vitest';
import {
  expandTemplate,
  expandVariable,
  SAMPLE_CONTEXT,
  type TemplateFunctions,
} from '../../../src/common/service-template.ts';
import { templateContext } from '../../../src/common/task-naming.ts';
import { assignedTask } from '../../support/worker-builders.ts';

const task = assignedTask('task1', { service: 'web', slot: 3, labels: { color: 'blue', 'com.example/x': 'y' } });
const node = { hostname: 'alpha', platform: { architecture: 'x86_64', os: 'linux' } };
const expand = (text: string, functions?: TemplateFunctions): string =>
  expandTemplate(text, templateContext(task, node), functions);

describe('service templates', () => {
  it.each([
    ['plain text', 'plain text'],
    ['{{.Service.Name}}-{{.Task.Slot}}', 'web-3'],
    ['{{ .Node.Hostname }}/{{.Node.ID}}', 'alpha/node1'],
    ['{{.Node.Platform.OS}} {{.Node.Platform.Architecture}}', 'linux x86_64'],
    ['{{.Task.Name}} {{.Task.ID}}', 'web.3.task1 task1'],
    ['{{.Service.ID}}', 'web-id'],
    ['{{index .Service.Labels "com.example/x"}}', 'y'],
    ['{{.Service.Labels.color}}', 'blue'],
    ['{{index .Service.Labels "none"}}|', '|'],
    ['{{.Service.Labels}}', 'map[color:blue com.example/x:y]'],
    ['{{.Node.Platform}}', '{x86_64 linux}'],
    ['{{$.Task.Slot}}', '3'],
    ['{{join "," "a" "b"}}', 'a,b'],
    ['{{if .Task.Slot}}y{{else}}n{{end}}', 'y'],
    ['{{if eq .Task.Slot "1"}}one{{else if eq .Task.Slot "3"}}three{{else}}more{{end}}', 'three'],
    ['{{range $k, $v := .Service.Labels}}{{$k}}={{$v}};{{end}}', 'color=blue;com.example/x=y;'],
    ['{{range .Service.Labels}}<{{.}}>{{else}}none{{end}}', '<blue><y>'],
    ['{{range .Service.Labels}}{{break}}{{end}}.', '.'],
    ['{{with .Service.Name}}[{{.}}]{{end}}', '[web]'],
    ['{{$x := .Task.Slot}}{{$x}}{{$x}}', '33'],
    ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['{{define "x"}}({{.}}){{end}}{{template "x" .Task.Slot}}', '(3)'],
    ['{{block "x" .}}{{.Task.Slot}}{{end}}', '3'],
    ['{{len .Service.Labels}} {{len .Service.Name}}', '2 3'],
    ['{{printf "%5s|%-5s|%03d|%v|%q|%x" "a" "b" 7 true "q" 255}}', '    a|b    |007|true|"q"|ff'],
    ['{{printf "%s"}} {{printf "%s" 1 2}}', '%!s(MISSING) %!s(int=1)%!(EXTRA int=2)'],
    ['{{print "a" 1 2 "b"}} {{println "a" 1}}', 'a1 2b a 1\n'],
    ['{{html "<a>"}} {{js "it\'s"}} {{urlquery "a b"}}', "&lt;a&gt; it\\'s a+b"],
    ['{{slice "abcdef" 1 3}} {{index "abc" 1}}', 'bc 98'],
    ['{{and 1 0 2}} {{or 0 "" "x"}} {{not 1}}', '0 x false'],
    ['{{lt 1 2}} {{ne "a" "b"}} {{eq 1 2 1}} {{ge 2 2}}', 'true true true true'],
    ['{{"a" | printf "%s-%s" "b"}}', 'b-a'],
    ['{{ .Service.Name | len | printf "%03d" }}', '003'],
    ["{{1.5}} {{0x1F}} {{'a'}} {{true}}", '1.5 31 97 true'],
    ['{{"a}}b"}} {{`raw "x"`}} {{"\\n"}}', 'a}}b raw "x" \n'],
    ['x {{- " y " -}} z', 'x y z'],
    ['a{{/* said */}}b {{- /* c */ -}} d', 'abd'],
  ])('expands %s', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it('gives a task of a global service its node as slot', () => {
    const global = assignedTask('task1', { service: 'web', slot: 0 });
    expect(expandTemplate('{{.Task.Slot}} {{.Task.Name}}', templateContext(global, node))).toBe(
      'node1 web.node1.task1',
    );
  });

  it('offers further functions to secrets and configs', () => {
    expect(expand('{{secret "pw"}}', { secret: (name) => `<${name}>` })).toBe('<pw>');
    expect(() => expand('{{secret "pw"}}')).toThrow('template: expansion:1: function "secret" not defined');
  });

  // What Docker Engine 20.10 answers to `docker service create --env A=…`.
  it.each([
    ['{{.Bogus}}', `1:2: executing "expansion" at <.Bogus>: can't evaluate field Bogus in type *template.Context`],
    ['{{.Task.ID.X}}', `1:7: executing "expansion" at <.Task.ID.X>: can't evaluate field X in type string`],
    [
      '{{.Task.Bogus}}',
      `1:7: executing "expansion" at <.Task.Bogus>: can't evaluate field Bogus in type struct { ID string; Name string; Slot string }`,
    ],
    [
      '{{.Node.X}}',
      `1:7: executing "expansion" at <.Node.X>: can't evaluate field X in type struct { ID string; Hostname string; Platform template.Platform }`,
    ],
    [
      '{{.service.name}}',
      `1:10: executing "expansion" at <.service.name>: can't evaluate field service in type *template.Context`,
    ],
    [
      '{{.Service.Labels.none}}',
      `1:10: executing "expansion" at <.Service.Labels.none>: map has no entry for key "none"`,
    ],
    ['line1\n{{.Bad}}', `2:2: executing "expansion" at <.Bad>: can't evaluate field Bad in type *template.Context`],
    ['{{len 3}}', '1:2: executing "expansion" at <len 3>: error calling len: len of type int'],
    ['{{eq "a" 1}}', '1:2: executing "expansion" at <eq "a" 1>: error calling eq: incompatible types for comparison'],
    ['{{printf}}', '1:2: executing "expansion" at <printf>: wrong number of args for printf: want at least 1 got 0'],
    ['{{not}}', '1:2: executing "expansion" at <not>: wrong number of args for not: want 1 got 0'],
    ['{{nil}}', '1:2: executing "expansion" at <nil>: nil is not a command'],
    ['{{1 2}}', `1:2: executing "expansion" at <1>: can't give argument to non-function 1`],
    [
      '{{.Task.Slot | .Task.ID}}',
      '1:20: executing "expansion" at <.Task.ID>: ID has arguments but cannot be invoked as function',
    ],
    ['{{range 3}}x{{end}}', `1:8: executing "expansion" at <3>: range can't iterate over 3`],
    ['{{template "x"}}', '1:11: executing "expansion" at <{{template "x"}}>: template "x" not defined'],
    ['{{.Service', '1: unclosed action'],
    ['{{.Service}', "1: bad character U+007D '}'"],
    ['{{}}', '1: missing value for command'],
    ['{{if}}x{{end}}', '1: missing value for if'],
    ['{{if .Task}}x', '1: unexpected EOF'],
    ['{{end}}', '1: unexpected {{end}}'],
    ['{{else}}', '1: unexpected {{else}}'],
    ['{{foo "a"}}', '1: function "foo" not defined'],
    ['{{constructor}}', '1: function "constructor" not defined'],
    ['{{"abc}}', '1: unterminated quoted string'],
    ['{{`abc}}', '1: unterminated raw quoted string'],
    ['{{"\\q"}}', '1: invalid syntax'],
    ['{{(.Task}}', '1: unclosed left paren'],
    ['{{)}}', '1: unexpected ")" in command'],
    ['{{$y}}', '1: undefined variable "$y"'],
    ['{{.Service.Name ~}}', '1: unexpected "~" in operand'],
    ['{{.Task.Slot.}}', '1: unexpected <.> in operand'],
    ['{{break}}', '1: {{break}} outside {{range}}'],
  ])('refuses %j in the words of Docker', (text, problem) => {
    expect(() => expandTemplate(text, SAMPLE_CONTEXT)).toThrow(`template: expansion:${problem}`);
  });

  it('refuses a template that includes itself without end', () => {
    expect(() => expand('{{define "x"}}{{template "x"}}{{end}}{{template "x"}}')).toThrow('maximum template depth');
  });

  it('refuses a template whose parts multiply', () => {
    const parts = Array.from(
      { length: 40 },
      (_, i) => `{{define "x${i}"}}{{template "x${i + 1}"}}{{template "x${i + 1}"}}{{end}}`,
    );
    expect(() => expand(`${parts.join('')}{{define "x40"}}{{end}}{{template "x0"}}`)).toThrow('does more than');
  });

  it('names the line of an environment, of which only the value is a template', () => {
    expect(expandVariable('{{A}}={{.Task.Slot}}', SAMPLE_CONTEXT)).toBe('{{A}}=1');
    expect(expandVariable('{{A}}', SAMPLE_CONTEXT)).toBe('{{A}}');
    expect(() => expandVariable('A={{"', SAMPLE_CONTEXT)).toThrow('expanding env "A={{\\"": template: expansion:1:');
  });
});
