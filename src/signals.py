from thermal_landmarks.commands.signals import main

if __name__ == "__main__":
    main()
