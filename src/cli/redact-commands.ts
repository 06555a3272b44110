import { Command } from 'commander';
import type { RedactOptions } from './commands/redact.ts';
import { type CommonOptions, common, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** `redact test`. */
export function redactCommand(terminal: Terminal): Command {
  const root = new Command('redact')
    .description('see what is masked before it is stored')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText('after', example('tasktrail redact test "token ghp_…"'));
  return root.addCommand(common(test(terminal)));
}

function test(terminal: Terminal): Command {
  return new Command('test')
    .description('print a text as it would be stored, and what was masked in it by which rule; nothing is stored')
    .argument('[text]', 'the text (default: standard input, line by line, as of one task)')
    .option('--rule <name=pattern>', 'try this rule too (RE2); may be given again', collected, [])
    .option('--json', 'one JSON object a line of the text')
    .addHelpText(
      'after',
      `${example(
        `tasktrail redact test 'postgres://app:hunter22@db/x'`,
        'env | tasktrail redact test',
        `tasktrail redact test --rule 'employee=EMP-[0-9]{6}' 'sent by EMP-123456'`,
        'tasktrail redact test --json < build.log | jq -r ".matches[].kind" | sort | uniq -c',
      )}
Exit codes: 0 something was masked, 1 nothing was, 2 a rule or an option is wrong.
It knows the shapes of tokens, the rules of the config file, and this shell's environment.
`,
    )
    .action(async (text: string | undefined, options: CommonOptions & RedactOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/redact.ts');
      terminal.exitCode = await commands.redactTest(terminal, config, text, options);
    });
}

function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
