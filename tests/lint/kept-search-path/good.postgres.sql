set local search_path = shop;
