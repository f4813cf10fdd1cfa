import { describe, expect, it } from 'vitest';
import { templateContext } from '../../../src/worker/task-naming.ts';
import { expandTemplate, type TemplateFunctions } from '../../../src/worker/template.ts';
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
    ['{{printf "%s-%v" .Service.Name .Task.Slot}}', 'web-3'],
    ['{{.Service.Name | upper}}', 'WEB'],
    ['{{"a}}b"}}', 'a}}b'],
    ['{{`raw "x"`}}', 'raw "x"'],
    ['{{(index .Service.Labels "color") | printf "<%s>"}}', '<blue>'],
    ['x {{- " y " -}} z', 'x y z'],
    ['a{{/* said */}}b', 'ab'],
    ['{{len .Service.Labels}}', '2'],
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
  });

  it.each([
    ['{{.Service.Nothing}}', 'there is no .Service.Nothing'],
    ['{{.Task.Name.More}}', '.Task.Name has no field More'],
    ['{{exec "rm"}}', 'function "exec" not defined'],
    ['{{.Service.Name', 'not closed'],
    ['{{}}', 'empty'],
    ['{{.Service.Name ~}}', 'is not understood'],
    ['{{.constructor}}', 'there is no .constructor'],
    ['{{printf "%s"}}', 'fewer arguments'],
    ['{{.Service.Name | .Task.Slot}}', 'only a function can follow "|"'],
  ])('refuses %s and names the template', (text, problem) => {
    expect(() => expand(text)).toThrow(problem);
    expect(() => expand(text)).toThrow('expanding template');
  });
});
