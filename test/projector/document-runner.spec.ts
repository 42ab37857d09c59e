// Whose build it is: a runner goes on with what its own fold has made, and with nothing else.
import { expect, it } from '@jest/globals';
import { cards } from '../../projections/cards.document.js';
import { BuildGone } from '../../src/projector/sinks/document-sink.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { runnerOf } from './support.js';

const mine = { ...cards, settings: 'an hour' };

it('a build of the same code and settings is gone on with', async () => {
  const sink = new MemorySink();
  await runnerOf(mine, sink).begin();
  await expect(runnerOf(mine, sink).open()).resolves.toBeUndefined();
});

it.each([
  ['another version', { ...mine, version: mine.version + 1 }],
  ['other settings', { ...mine, settings: 'a day' }],
  ['no settings', cards],
])('a build of %s, begun meanwhile, is left to whoever makes it', async (_, theirs) => {
  const sink = new MemorySink();
  await runnerOf(theirs, sink).begin();
  await expect(runnerOf(mine, sink).open()).rejects.toBeInstanceOf(BuildGone);
});
