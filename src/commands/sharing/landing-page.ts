// What is behind a link. A person goes on to the app where its address is known; crawlers, and people where it is not, get
// the same page as everybody: nothing of the sharer, the content or the opener in it, no script, nothing fetched.

const style =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem;color-scheme:light dark}';

function page(title: string, text: string): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">',
    // What a messenger shows of the link before anybody opens it.
    `<meta property="og:type" content="website"><meta property="og:title" content="${title}">`,
    `<meta property="og:description" content="${text}"><meta name="twitter:card" content="summary">`,
    `<title>${title}</title><style>${style}</style></head>`,
    `<body><main><h1>${title}</h1><p>${text}</p></main></body></html>`,
  ].join('\n');
}

export const sharedPage = page('Something was shared with you', 'Open the app to see it.');
/** For links that never were, were revoked or have expired: they look alike. */
export const gonePage = page('There is nothing here', 'This link does not lead anywhere, or not any more.');

/** Stands in the app's address for what was shared. */
export const contentIdPlaceholder = '{contentId}';

/**
 * Where a person goes on: the app's address with the content's id in its place and the open's id as `openId`, by which a
 * later log-in can name the opener (1.12). Nothing else goes along: not the link, not the share, not who shared.
 */
export function appAddress(appUrl: string, { contentId, openId }: { contentId: string; openId: string }): string {
  const url = new URL(appUrl.replaceAll(contentIdPlaceholder, encodeURIComponent(contentId)));
  url.searchParams.set('openId', openId);
  return url.href;
}
