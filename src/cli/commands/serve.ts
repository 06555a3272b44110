import { existsSync } from 'node:fs';
import { isoTime } from '../../core/time.ts';
import { makeDataDir } from '../../trail/data-dir.ts';
import type { LocalTrail } from '../../trail/local.ts';
import { Membership } from '../../trail/membership.ts';
import { openTrail } from '../../trail/open.ts';
import { takeOwnership } from '../../trail/owner.ts';
import { checkExposure } from '../config.ts';
import { redactionOf } from '../redaction.ts';
import { workOf } from '../roles.ts';
import type { Config } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

/** Serve the data directory, as its owner or beside it, until a signal says stop. */
export async function serve(terminal: Terminal, config: Config): Promise<number> {
  // Where nothing is stored, no token is either: nothing is made for a server that may not start.
  if (workOf(config).answers && !existsSync(config.dataDir)) checkExposure(config, false);
  // A server lives on when nobody reads what it prints.
  terminal.onClosed(() => {});
  const { dataDir, flushMs, bufferBytes, taskLogLevel: taskLevel, redisUrl } = config;
  makeDataDir(dataDir);
  const owner = await (redisUrl === undefined ? takeOwnership(dataDir) : Membership.join(dataDir));
  try {
    // A command that prints its environment must not leave our secrets in a trail.
    const redaction = await redactionOf(config);
    const opening = openTrail({ dataDir, flushMs, bufferBytes, taskLevel, owner, ...redaction });
    // The largest part of the program is loaded while the thread that writes begins.
    const [trail, { serveTrail }] = await Promise.all([opening, import('../serving.ts')]);
    try {
      if (workOf(config).answers) checkExposure(config, await hasTokens(trail));
      await serveTrail(terminal, config, { owner, trail });
    } finally {
      await trail.close();
    }
  } finally {
    await owner.close();
  }
  // A stop that an exception forced is no success.
  return Number(process.exitCode ?? 0);
}

/** Somebody can be let in who shows one. */
async function hasTokens({ parts: { store } }: LocalTrail): Promise<boolean> {
  const now = isoTime(Date.now());
  const { list = [] } = (await store.credentials()) ?? {};
  return list.some(({ kind, expiresAt }) => kind === 'token' && (expiresAt === null || expiresAt > now));
}
