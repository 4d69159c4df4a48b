// theme.js - runs before the first paint: the colours that were chosen.
(function () {
  'use strict'
  let theme = null
  try {
    theme = localStorage.getItem('streamd-theme')
  } catch (error) { /* storage is off: as the system */ }
  if (theme === 'light' || theme === 'dark') {
    document.documentElement.dataset.theme = theme
  }
})()
