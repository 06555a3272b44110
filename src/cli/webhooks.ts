import { asTrailError, TrailError } from '../core/error.ts';
import type { TaskRuns } from '../core/plugin.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import { createWebhooks, type Webhooks } from '../inlet/webhooks/index.ts';
import type { Acknowledge } from '../inlet/webhooks/start.ts';
import { environment } from './config.ts';
import { readSections } from './config-file.ts';
import { type Config, isLoopback } from './settings.ts';
import { configuredWebhooks } from './webhook-section.ts';

export interface WebhookParts {
  readonly store: StoreReader;
  readonly intake: Intake;
  readonly tasks: Pick<TaskRuns, 'runAgent'>;
  readonly acknowledge: Acknowledge;
}

/** Secrets of the built-in providers. */
function secretsOf(config: Config) {
  return {
    github: config.githubWebhookSecret,
    jira: config.jiraWebhookSecret,
    slack: config.slackSigningSecret,
    sentry: config.sentryClientSecret,
  };
}

/** The webhooks that a server has. Throws `invalid_setting` that names the place of what is wrong in the config file. */
export async function serverWebhooks(config: Config, parts: WebhookParts): Promise<Webhooks> {
  const { file } = config.sections;
  const wrong = (place: string, what: string): TrailError =>
    new TrailError('invalid_setting', `webhooks.${place} in ${file}: ${what}`);
  const configured = configuredWebhooks(readSections(config.sections).webhooks, { env: environment(), wrong });
  await parts.intake.hide(Object.values(configured).flatMap(({ secret }) => secret ?? []));
  try {
    return createWebhooks({ ...parts, secrets: secretsOf(config), configured, mayBeUnsigned: mayBeUnsigned(config) });
  } catch (error) {
    const { code, message } = asTrailError(error);
    throw code === 'invalid_webhook' ? new TrailError('invalid_setting', `webhooks in ${file}: ${message}`) : error;
  }
}

/** Only where nobody but this machine can reach us, and everybody on it is admin already. */
function mayBeUnsigned({ host, tokens, publicUrl, trustProxy }: Config): boolean {
  return isLoopback(host) && tokens.length === 0 && publicUrl === undefined && trustProxy.length === 0;
}

/** Whoever runs a server must know whose deliveries it does not check. */
export function warnUnsigned(config: Config, logger: { warn(message: string): void }): void {
  const unchecked = Object.entries(secretsOf(config)).flatMap(([name, secret]) => (secret === undefined ? [name] : []));
  if (unchecked.length === 0 || !mayBeUnsigned(config)) return;
  logger.warn(
    `deliveries of ${unchecked.join(', ')} are taken unsigned, because no secret is set and only this machine can send them`,
  );
}
