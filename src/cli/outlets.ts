import type { JsonObject } from '../core/entry.ts';
import type { Live } from '../core/live.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import { allowedOf } from '../outlet/outbound/allowed.ts';
import type { Outbound } from '../outlet/outbound/outbound.ts';
import { Answers } from '../outlet/replies/answers.ts';
import { type Outcome, replier } from '../outlet/replies/replier.ts';
import type { Accounts } from '../outlet/replies/request.ts';
import { Notices } from '../outlet/slack/notices.ts';
import { linkTo } from '../outlet/words.ts';
import { readSections } from './config-file.ts';
import type { Config } from './settings.ts';

export interface OutletOptions {
  readonly parts: { readonly store: StoreReader; readonly intake: Intake; readonly live: Live };
  readonly log: { warn(message: string): void };
}

/** What a server says elsewhere. */
export interface Outlets {
  acknowledge(place: JsonObject, heard: { readonly taskId: string; readonly command: string }): Promise<Outcome>;
  start(): void;
  /** Send what is under way, and stop. Safe to call twice. */
  close(): Promise<void>;
}

/** Answers where there is an account to answer with, and notices where the config file has a section for them. */
export function serverOutlets(config: Config, { parts, log }: OutletOptions): Outlets {
  const { publicUrl } = config;
  const accounts = accountsOf(config);
  const outbound = outboundOf(config);
  const says = replier(accounts, outbound);
  const outlet = { ...parts, publicUrl, log };
  const settings = readSections(config.sections).slack;
  const running: (Answers | Notices)[] = [];
  if (Object.values(accounts).some((account) => account !== undefined)) {
    running.push(new Answers({ ...outlet, replier: says }));
  }
  if (settings && (accounts.slack || accounts.slackWebhook)) {
    running.push(new Notices({ ...outlet, settings, accounts, outbound }));
  } else if (settings) {
    log.warn('nothing is told to Slack: neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set');
  }
  return {
    acknowledge: (place, { taskId, command }) =>
      says.acknowledge(place, `On it: ${command}\n${linkTo(publicUrl, taskId)}`),
    start() {
      for (const part of running) part.start();
    },
    async close() {
      await Promise.all(running.map((part) => part.close()));
    },
  };
}

/** What the server may reach besides the open network and what other settings name. */
export function outboundOf({ outboundAllow }: Config): Outbound {
  return { allowed: outboundAllow.flatMap((text) => allowedOf(text) ?? []) };
}

export function accountsOf(config: Config): Accounts {
  const { githubToken, githubApiUrl, jiraUrl, jiraEmail, jiraApiToken, slackBotToken, slackApiUrl } = config;
  return {
    github: githubToken === undefined ? undefined : { url: githubApiUrl, token: githubToken },
    jira:
      jiraUrl === undefined || jiraEmail === undefined || jiraApiToken === undefined
        ? undefined
        : { url: jiraUrl, email: jiraEmail, token: jiraApiToken },
    slack: slackBotToken === undefined ? undefined : { url: slackApiUrl, token: slackBotToken },
    slackWebhook: config.slackWebhookUrl,
  };
}
