import { Command } from 'commander';
import type { DeadListOptions, DeadReplayOptions } from './commands/redis-dead.ts';
import { type CommonOptions, common, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** `redis dead list` and `redis dead replay`. */
export function redisCommand(terminal: Terminal): Command {
  const dead = new Command('dead')
    .description('see and take again the events that could not be stored')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(--help shows how it is used)');
  for (const command of [list, replay]) dead.addCommand(common(command(terminal)));
  return new Command('redis')
    .description('what a server keeps in Redis (REDIS_URL)')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText('after', example('tasktrail redis dead list', 'tasktrail redis dead replay --all'))
    .addCommand(dead);
}

function list(terminal: Terminal): Command {
  return new Command('list')
    .description('list events that could not be stored, the oldest first, and why')
    .option('--limit <count>', 'how many', '50')
    .option('--json', 'one JSON object a line, with all fields')
    .addHelpText('after', example('tasktrail redis dead list', 'tasktrail redis dead list --json | jq -r .reason'))
    .action(async (options: CommonOptions & DeadListOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/redis-dead.ts');
      terminal.exitCode = await commands.list(terminal, config, options);
    });
}

function replay(terminal: Terminal): Command {
  return new Command('replay')
    .description('move events back to the end of the stream, to be read once more')
    .argument('[ids...]', 'which, as list names them')
    .option('--all', 'all that are there now')
    .option('--dry-run', 'say which, and leave them')
    .addHelpText(
      'after',
      example(
        'tasktrail redis dead replay 1769248800000-0',
        'tasktrail redis dead replay --all --dry-run',
        'tasktrail redis dead replay --all',
      ),
    )
    .action(async (ids: string[], options: CommonOptions & DeadReplayOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/redis-dead.ts');
      terminal.exitCode = await commands.replay(terminal, config, ids, options);
    });
}
