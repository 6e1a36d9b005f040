page() { cat "$table"; }
