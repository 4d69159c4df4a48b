// theme.js - runs before the first paint: the colours that were chosen
// (data-theme; none: as the system), and those that follow (data-colours).
(function () {
  'use strict'
  const root = document.documentElement
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const paint = () => { root.dataset.colours = root.dataset.theme ?? (dark.matches ? 'dark' : 'light') }
  let theme = null
  try {
    theme = localStorage.getItem('streamd-theme')
  } catch (error) { /* storage is off: as the system */ }
  if (theme === 'light' || theme === 'dark') {
    root.dataset.theme = theme
  }
  paint()
  dark.addEventListener('change', paint)
  new MutationObserver(paint).observe(root, { attributeFilter: ['data-theme'] })
})()
