import { Command } from 'commander';
import type { CheckOptions } from './commands/check.ts';
import type { ImportOptions } from './commands/import.ts';
import { type CommonOptions, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** The commands about task directories. */
export function fileCommands(terminal: Terminal): readonly Command[] {
  return [check(terminal), importTasks(terminal)];
}

function check(terminal: Terminal): Command {
  return new Command('check')
    .description('compare the database and the task directories; exit code 1 while faults remain')
    .option('--repair', 'write what is wrong in the directories anew from the store')
    .option('--reindex', 'make the index of the search anew, from all lines')
    .option('--json', 'one JSON object')
    .addHelpText('after', example('tasktrail check', 'tasktrail check --repair', 'tasktrail check --json | jq .found'))
    .action(async (options: CommonOptions & CheckOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/check.ts');
      terminal.exitCode = await commands.check(terminal, config, options);
    });
}

function importTasks(terminal: Terminal): Command {
  return new Command('import')
    .description('read task directories back into the store; tasks that exist already stay as they are')
    .argument('<dir>', 'the directory of a task, or one that holds many')
    .option('--dry-run', 'say what would be imported')
    .addHelpText(
      'after',
      example('tasktrail import ./data/tasks', 'tasktrail import /backup/tasks/task-01J… --dry-run'),
    )
    .action(async (dir: string, options: CommonOptions & ImportOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/import.ts');
      terminal.exitCode = await commands.importTasks(terminal, config, dir, options);
    });
}
