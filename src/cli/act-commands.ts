import { Command } from 'commander';
import { ACTS, type Act } from './acts.ts';
import type { ActOptions } from './commands/act.ts';
import { type CommonOptions, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** `approve`, `reject`, `cancel`, `input`: what a person does to a task. */
export function actCommands(terminal: Terminal): readonly Command[] {
  return [...(Object.keys(ACTS) as Act[]).map((name) => act(terminal, name)), input(terminal)];
}

function act(terminal: Terminal, name: Act): Command {
  return new Command(name)
    .description(ACTS[name].meaning)
    .argument('<id>', 'the task')
    .option('--json', 'print the task as JSON, as the API gives it')
    .addHelpText('after', example(`tasktrail ${name} ID`, `tasktrail ${name} ID --json | jq .status`))
    .action(async (id: string, options: CommonOptions & ActOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/act.ts');
      terminal.exitCode = await commands.act(terminal, config, id, { ...options, act: name });
    });
}

function input(terminal: Terminal): Command {
  return new Command('input')
    .description('answer a task that asked')
    .argument('<id>', 'the task')
    .argument('[message]', 'the answer; without it standard input is read')
    .option('--json', 'print the task as JSON, as the API gives it')
    .addHelpText('after', example('tasktrail input ID "yes, the blue one"', 'tasktrail input ID < answer.txt'))
    .action(async (id: string, message: string | undefined, options: CommonOptions & ActOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/act.ts');
      terminal.exitCode = await commands.input(terminal, config, id, { ...options, message });
    });
}
