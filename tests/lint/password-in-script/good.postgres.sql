alter role clerk login;
