import { Command, Option } from 'commander';
import { PAGE_LINES } from '../core/limits.ts';
import type { SearchCommandOptions } from './commands/search.ts';
import { type CommonOptions, configOf, example } from './common.ts';
import { filterOptions } from './filter-options.ts';
import type { Terminal } from './terminal.ts';

/** Search the lines of all tasks. Its words are a query, in which a word may begin with a minus. */
export function searchCommand(terminal: Terminal): Command {
  const command = new Command('search')
    .description('search the lines of all tasks, newest first; exit code 1 when nothing is found')
    .usage('[options] TEXT…')
    .argument('[text...]', 'the query: words, "phrases", -not, level:error, /pattern/ … (docs/query.md)')
    .helpOption('--help', 'show help')
    .allowUnknownOption()
    .option('--task <ids>', 'only these tasks, by comma');
  return filterOptions(command)
    .option('--context <count>', 'lines before and after each found one, 0–20')
    .option('--group', 'by task')
    .addOption(new Option('--limit <count>', `how many, 1–1000 (default ${PAGE_LINES})`).conflicts('all'))
    .option('--all', 'every line there is')
    .option('--cursor <cursor>', 'go on where an earlier search stopped')
    .addOption(new Option('--json', 'one JSON object a line, as the API gives them').conflicts('group'))
    .addHelpText(
      'after',
      example(
        'tasktrail search timeout',
        `tasktrail search 'level:error "connection reset" -retry after:-2h'`,
        'tasktrail search ETIMEDOUT --context 3 --group',
        `tasktrail search '/time(out|d out)/' --source git --all --json | jq -r .task_id | sort | uniq -c`,
        'tasktrail search -- -h    # lines without "h"; -h alone is this help',
      ),
    )
    .action(async (words: string[], options: CommonOptions & SearchCommandOptions) => {
      // All that was typed behind the program's name: here a -- still stands.
      if (command.parent?.args.join(' ') === 'search -h') command.help();
      const config = configOf(options);
      const commands = await import('./commands/search.ts');
      terminal.exitCode = await commands.search(terminal, config, words, options);
    });
}
