import { Command, Option } from 'commander';
import { DELIVERY_OUTCOMES } from '../core/webhook.ts';
import type { SendOptions } from './commands/webhook-send.ts';
import type { DeliveriesOptions, WebhookOptions } from './commands/webhooks.ts';
import { type CommonOptions, common, configOf, example } from './common.ts';
import type { Terminal } from './terminal.ts';

/** `webhook send`, `list`, `deliveries` and `replay`. */
export function webhookCommand(terminal: Terminal): Command {
  const root = new Command('webhook')
    .description('send a payload as a provider would, and see what became of deliveries')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(--help shows how it is used)')
    .addHelpText('after', example('tasktrail webhook send comment.json --provider github', 'tasktrail webhook list'));
  for (const command of [send, list, deliveries, replay]) root.addCommand(common(command(terminal)));
  return root;
}

function send(terminal: Terminal): Command {
  return new Command('send')
    .description("sign a file's bytes as the provider does, and send them to the server's webhook")
    .argument('<file>', 'the payload; - is standard input; .txt and .form go as a form, anything else is JSON')
    .option('--provider <name>', 'github, jira, slack, sentry, or that of a webhook of your own')
    .option('--webhook <id>', 'a webhook made at run time, or by the config file (default: the built-in one)')
    .option('--event <type>', 'type of event, for github and sentry (default: guessed from the payload)')
    .option('--id <delivery>', 'id of the delivery (default: a new one; the same one twice is a duplicate)')
    .option('--secret-file <file>', 'sign with the secret in this file (default: as set, see GITHUB_WEBHOOK_SECRET)')
    .addOption(
      new Option(
        '--secret <secret>',
        'the secret itself; every user of this machine can see it while it runs',
      ).conflicts('secretFile'),
    )
    .option('--url <url>', 'the server (default: TASKTRAIL_URL, else the one of the data directory)')
    .option('--dry-run', 'print the headers, send nothing')
    .option('--json', 'print what the server answers as it is')
    .addHelpText(
      'after',
      example(
        'tasktrail webhook send comment.json --provider github',
        'tasktrail webhook send mention.json --provider slack --secret-file slack.secret',
        'printf "command=/agent&text=hello&user_id=U1" > slash.form && tasktrail webhook send slash.form --provider slack',
        'tasktrail webhook send alarm.json --webhook alarms --secret-file alarms.secret',
        'cat push.json | tasktrail webhook send - --provider github --event push --dry-run',
      ),
    )
    .action(async (file: string, options: CommonOptions & SendOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/webhook-send.ts');
      terminal.exitCode = await commands.send(terminal, config, file, options);
    });
}

function list(terminal: Terminal): Command {
  return new Command('list')
    .description('list the webhooks of the server, with what came last')
    .option('--json', 'one JSON object a line, as the API gives them')
    .addHelpText('after', example('tasktrail webhook list', 'tasktrail webhook list --json | jq -r .url'))
    .action(async (options: CommonOptions & WebhookOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/webhooks.ts');
      terminal.exitCode = await commands.list(terminal, config, options);
    });
}

function deliveries(terminal: Terminal): Command {
  return new Command('deliveries')
    .description('list what a webhook was sent, newest first, and why it started something or not')
    .argument('<id>', 'the webhook')
    .option('--outcome <outcomes>', `only these, by comma: ${DELIVERY_OUTCOMES.join(', ')}`)
    .option('--limit <count>', 'how many', '50')
    .option('--json', 'one JSON object a line, as the API gives them')
    .addHelpText(
      'after',
      example('tasktrail webhook deliveries github', 'tasktrail webhook deliveries github --outcome refused,failed'),
    )
    .action(async (id: string, options: CommonOptions & DeliveriesOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/webhooks.ts');
      terminal.exitCode = await commands.deliveries(terminal, config, id, options);
    });
}

function replay(terminal: Terminal): Command {
  return new Command('replay')
    .description('take a delivery once more, as if it came now')
    .argument('<id>', 'the webhook')
    .argument('<n>', 'number of the delivery')
    .option('--json', 'print what the server answers as it is')
    .addHelpText('after', example('tasktrail webhook replay github 12'))
    .action(async (id: string, n: string, options: CommonOptions & WebhookOptions) => {
      const config = configOf(options);
      const commands = await import('./commands/webhooks.ts');
      terminal.exitCode = await commands.replay(terminal, config, { id, n, options });
    });
}
