// In which circumstances something is done: headers that every write may carry, kept in the metadata of what it leads to.
// One table reads them and describes them, so that none is read that the API's description does not name.
import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { EventMetadata } from '../../kernel/message.js';
import { headerOf } from './header.js';

type Kept = 'platform' | 'appVersion' | 'country' | 'locale' | 'tzOffsetMin' | 'surface' | 'experimentArms';
export type Circumstances = Pick<EventMetadata, Kept> & { readonly sessionId?: string };

interface CircumstanceHeader<Value> {
  readonly header: string;
  readonly pattern: RegExp;
  readonly example: string;
  readonly about: string;
  readonly read: (text: string) => Value;
}
type Table = { readonly [Name in keyof Circumstances]-?: CircumstanceHeader<NonNullable<Circumstances[Name]>> };

const shortText = /^[A-Za-z0-9 ._+-]{1,40}$/;
const asItIs = (text: string): string => text;

function armOf(text: string): { experimentId: string; arm: string } {
  const [experimentId = '', arm = ''] = text.split('=');
  return { experimentId, arm };
}

export const circumstances: Table = {
  platform: {
    header: 'Homing-Platform',
    pattern: shortText,
    example: 'ios',
    about: 'What the app runs on.',
    read: asItIs,
  },
  appVersion: {
    header: 'Homing-App-Version',
    pattern: shortText,
    example: '4.12.0',
    about: 'Which version of the app it is.',
    read: asItIs,
  },
  country: {
    header: 'Homing-Country',
    pattern: /^[A-Z]{2}$/,
    example: 'AT',
    about: 'Where it is done, ISO 3166-1 alpha-2; absent: the country of the member who acts.',
    read: asItIs,
  },
  locale: {
    header: 'Homing-Locale',
    pattern: /^[A-Za-z0-9-]{1,35}$/,
    example: 'de-AT',
    about: 'The language of the app, BCP 47.',
    read: asItIs,
  },
  tzOffsetMin: {
    header: 'Homing-Tz-Offset',
    pattern: /^[+-]?\d{1,3}$/,
    example: '-300',
    about: 'Local time less UTC, in minutes: -300 for New York in winter.',
    read: Number,
  },
  surface: {
    header: 'Homing-Surface',
    pattern: /^[a-z_]{1,32}$/,
    example: 'feed',
    about: 'Where in the app it is done.',
    read: asItIs,
  },
  experimentArms: {
    header: 'Homing-Experiments',
    pattern: /^[A-Za-z0-9._-]{1,64}=[A-Za-z0-9._-]{1,64}(,[A-Za-z0-9._-]{1,64}=[A-Za-z0-9._-]{1,64}){0,15}$/,
    example: 'share-sheet=short,feed-order=friends-first',
    about: 'The arm of each experiment that whoever acts is in, `<experiment>=<arm>`; at most 16.',
    read: (text) => text.split(',').map(armOf),
  },
  sessionId: {
    header: 'Homing-Session',
    pattern: /^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/,
    example: '01890a5d-ac96-774b-bcce-b302099a8057',
    about: 'The session it belongs to; ties together what happened in it (`correlationId`).',
    read: asItIs,
  },
};

/** What the request says, without what it does not. @throws Problem `invalid-header` */
export function circumstancesOf(request: FastifyRequest): Circumstances {
  const said = Object.entries(circumstances).flatMap(([name, { header, pattern, read }]) => {
    const text = headerOf(request, header.toLowerCase(), pattern);
    return text === undefined ? [] : [[name, read(text)] as const];
  });
  return Object.fromEntries(said);
}

/** Names them in the API's description of a route. */
export function TakesCircumstances(): MethodDecorator {
  const headers = Object.values(circumstances).map(({ header, pattern, example, about }) =>
    ApiHeader({ name: header, required: false, description: about, schema: { pattern: pattern.source, example } }),
  );
  return applyDecorators(...headers);
}
