// Where shares go and what comes back from there: the mix of channels, who fetches previews, who keeps the referrer.
import type { Random } from '../random.js';

/** Inside the app; groups come later (docs: domain 6, share channel mix). */
export const inAppDestinations = { dm: 80, feed_repost: 9, story_moment: 5, close_friends: 3, brand_conversation: 3 };

/** Off the platform, as the sharer's tap names it. */
export const offPlatformDestinations = {
  whatsapp: 19,
  sms_imessage: 6,
  messenger: 5,
  instagram_dm: 5,
  telegram: 4,
  discord: 2,
  copy_link: 25,
  system_share_sheet: 15,
  facebook: 4,
  x: 3,
  reddit: 2,
  instagram_story: 2,
  email: 2,
  qr_code: 1,
  save_media: 4,
  screenshot: 1,
} as const;
export type OffPlatformDestination = keyof typeof offPlatformDestinations;

/** Where a copied link or a system sheet really leads; nobody is told. */
const hiddenTargets = {
  whatsapp: 44,
  sms_imessage: 16,
  messenger: 10,
  telegram: 9,
  instagram_dm: 9,
  discord: 4,
  email: 5,
  x: 3,
};

export function trueChannel(destination: OffPlatformDestination, draw: Random): string {
  return destination === 'copy_link' || destination === 'system_share_sheet'
    ? draw.weighted(hiddenTargets)
    : destination;
}

/** Destinations without a link: the media itself leaves. */
export function carriesLink(destination: OffPlatformDestination): boolean {
  return destination !== 'save_media' && destination !== 'screenshot';
}

interface Channel {
  /** The crawler that fetches a preview as soon as the link is pasted. */
  readonly previewBot?: string;
  /** What a browser tells of where the tap was, when the app does not hide it. */
  readonly referrer?: string;
  readonly referrerLostShare: number;
  readonly public: boolean;
  /** What the app's built-in browser says of itself, where links open in one. */
  readonly builtInBrowser?: string;
}

const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148';
const facebookBot = 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)';
const channels: Readonly<Record<string, Channel>> = {
  whatsapp: { previewBot: 'WhatsApp/2.25.20.80 A', referrerLostShare: 1, public: false },
  sms_imessage: {
    previewBot:
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)',
    referrerLostShare: 1,
    public: false,
  },
  messenger: {
    previewBot: facebookBot,
    referrer: 'https://l.messenger.com/',
    referrerLostShare: 0.75,
    public: false,
    builtInBrowser: `${iphone} [FBAN/MessengerForiOS;FBAV/520.0]`,
  },
  instagram_dm: {
    previewBot: facebookBot,
    referrer: 'https://l.instagram.com/',
    referrerLostShare: 0.3,
    public: false,
  },
  telegram: { previewBot: 'TelegramBot (like TwitterBot)', referrerLostShare: 1, public: false },
  discord: {
    previewBot: 'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)',
    referrerLostShare: 1,
    public: false,
  },
  email: { referrer: 'https://mail.google.com/', referrerLostShare: 0.6, public: false },
  qr_code: { referrerLostShare: 1, public: false },
  facebook: {
    previewBot: facebookBot,
    referrer: 'https://l.facebook.com/',
    referrerLostShare: 0.25,
    public: true,
    builtInBrowser: `${iphone} [FBAN/FBIOS;FBAV/525.0]`,
  },
  x: { previewBot: 'Twitterbot/1.0', referrer: 'https://t.co/', referrerLostShare: 0.15, public: true },
  reddit: { referrer: 'https://www.reddit.com/', referrerLostShare: 0.3, public: true },
  instagram_story: { referrer: 'https://l.instagram.com/', referrerLostShare: 0.3, public: true },
};
const unknownChannel: Channel = { referrerLostShare: 1, public: false };

export function channelOf(name: string): Channel {
  return channels[name] ?? unknownChannel;
}

/** Browsers of people who are not known to the app. */
export const strangersAgents: readonly string[] = [
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15',
];
/** Looks like a browser, is none: no service can tell from the outside. */
export const disguisedAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
