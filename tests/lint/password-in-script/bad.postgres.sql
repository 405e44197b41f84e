alter role clerk password 'secret';
