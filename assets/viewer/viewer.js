/* Brings the quotation into view, and keeps the player and its transcript together. The page can be read without. */
(() => {
  'use strict';
  const quote = document.getElementById('quote');
  const own = document.body.dataset.own;
  const player = document.getElementById('player');
  const cues = [...document.querySelectorAll('.cues [data-at]')];

  // Where the address says nothing else, the quotation is what one came for.
  let asked = location.hash.slice(1);
  try { asked = decodeURIComponent(asked); } catch { }
  if (quote && (!asked || asked === own || asked === 'quote' || !document.getElementById(asked))) {
    quote.scrollIntoView({ block: 'center', behavior: 'instant' });
    quote.focus({ preventScroll: true });
  }
  if (!player) return;

  const at = /^t=(\d+)/.exec(asked);
  if (at) {
    const seek = () => { player.currentTime = +at[1]; };
    if (player.readyState > 0) seek(); else player.addEventListener('loadedmetadata', seek, { once: true });
  }
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a.time');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    player.currentTime = +link.closest('[data-at]').dataset.at;
    const playing = player.play();
    if (playing) playing.catch(() => { });
  });
  let current = null;
  player.addEventListener('timeupdate', () => {
    // A little ahead: a seek may land just before the second that was asked for.
    const now = cues.filter((cue) => +cue.dataset.at <= player.currentTime + .3).pop() || null;
    if (now === current) return;
    if (current) current.removeAttribute('aria-current');
    if (now) now.setAttribute('aria-current', 'true');
    current = now;
  });
})();
