// Stands in for the theme's script of this name: half a megabyte on every page, for drawing the
// icons as SVG. The theme's style sheet draws the same icons with a font.
